import { sql } from 'kysely';
import { Migrator } from 'kysely/migration';
import pRetry from 'p-retry';
import * as migration0001 from '../../db/migrations/0001_gateway.ts';
import * as migration0002 from '../../db/migrations/0002_issuing.ts';
import * as migration0003 from '../../db/migrations/0003_delivery.ts';
import * as migration0004 from '../../db/migrations/0004_feed.ts';
import * as migration0005 from '../../db/migrations/0005_archive.ts';
import * as migration0006 from '../../db/migrations/0006_gateways.ts';
import * as migration0007 from '../../db/migrations/0007_keys.ts';
import { isBusy } from '../unavailable.ts';
import type { Database } from './database.ts';
import { startProblem } from './start-problem.ts';

const migrations = {
  '0001_gateway': migration0001,
  '0002_issuing': migration0002,
  '0003_delivery': migration0003,
  '0004_feed': migration0004,
  '0005_archive': migration0005,
  '0006_gateways': migration0006,
  '0007_keys': migration0007,
};

/** The names of all migrations, in order. */
export const migrationNames: readonly string[] = Object.keys(migrations);

/** Brings the schema to the newest version; says which migrations it ran. */
export async function migrate(database: Pick<Database, 'migrator' | 'reader'>): Promise<string[]> {
  if (await isNewest(database)) return [];
  const migrator = new Migrator({
    db: database.migrator,
    provider: { getMigrations: async () => migrations },
  });
  const run = async () => {
    const { error, results } = await migrator.migrateToLatest();
    if (error !== undefined) throw error;
    return (results ?? []).map((result) => result.migrationName);
  };
  try {
    // Another process may do the same at the same time: the next look finds its work done.
    return await pRetry(run, {
      ...{ retries: 20, minTimeout: 50, maxTimeout: 200 },
      shouldRetry: ({ error }) =>
        isBusy(error) ||
        /already exists|duplicate (?:column|key)|kysely_migration/.test(error.message),
    });
  } catch (error) {
    throw startProblem('The schema of the database cannot be brought up to date', error);
  }
}

/** Whether these migrations have run, and no other: Kysely looks at every table and column for that. */
async function isNewest({ reader }: Pick<Database, 'reader'>): Promise<boolean> {
  try {
    const { rows } = await sql<{ name: string }>`select name from kysely_migration`.execute(reader);
    return (
      rows.length === migrationNames.length &&
      rows.every(({ name }) => migrationNames.includes(name))
    );
  } catch {
    // There is nothing yet, or nothing that can be read: who migrates says which.
    return false;
  }
}
