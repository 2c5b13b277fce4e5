import { Command } from 'commander';
import { readConfig } from '../config.ts';
import { openDatabase } from '../database/database.ts';
import { migrate } from '../database/migrate.ts';
import { print } from './output.ts';

export const migrateCommand = () =>
  new Command('migrate')
    .description('bring the schema of the database to the newest version (serve does so too)')
    .option('--json', 'print JSON')
    .action(async ({ json }: { json?: boolean }) => {
      const config = readConfig();
      const database = await openDatabase(config.databaseUrl);
      try {
        const ran = await migrate(database);
        const text = ran.length > 0 ? `Ran ${ran.join(', ')}.` : 'Nothing to do.';
        print(json, { ran }, [text]);
      } finally {
        await database.close();
      }
    });
