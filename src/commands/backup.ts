import { resolve } from 'node:path';
import { Command } from 'commander';
import { backUp } from '../backup/backup.ts';
import { readConfig } from '../config.ts';
import { sqliteFileOf } from '../database/read-only.ts';
import { StartError } from '../start-error.ts';
import { interruptible } from './interruptible.ts';
import { print } from './output.ts';

interface Options {
  to: string;
  json?: boolean;
}

/** What to do with a database that this gateway does not copy itself. */
export function notOfAFile(url: string, serverRemedy: string): StartError {
  return new StartError(
    url.startsWith('sqlite:')
      ? 'DATABASE_URL is a database in memory: there is no file.'
      : `DATABASE_URL is PostgreSQL, whose own programs do this: ${serverRemedy}`,
  );
}

const DUMP = `run
  pg_dump --format=custom --file=FILE "$DATABASE_URL"
or keep base backups and the log (docs/postgresql.md says more). Keep SECRET_KEY_FILE with it.`;

export const backupCommand = () =>
  new Command('backup')
    .description('copy the database to a file, beside a gateway that serves')
    .requiredOption('--to <file>', 'the file that is made')
    .option('--json', 'print JSON: file, bytes, lastSeq, at, durationMs, secretKeyFile')
    .addHelpText(
      'after',
      `
Examples:
  gateway backup --to /var/backups/gateway-2026-11-21.db

The copy is checked before it has its name. The file that SECRET_KEY_FILE names is not in
it, and is needed too: keep it, and somewhere else. docs/operations.md says more.`,
    )
    .action(async ({ to, json }: Options) => {
      const { databaseUrl, secretKeyFile } = readConfig();
      const source = sqliteFileOf(databaseUrl);
      if (source === undefined) throw notOfAFile(databaseUrl, DUMP);
      const begunAt = performance.now();
      const file = resolve(to);
      const { atMs, bytes, lastSeq } = await interruptible(
        (given) => backUp({ ...given, source, file }),
        'Stopped: nothing was made.',
      );
      const durationMs = Math.round(performance.now() - begunAt);
      const at = new Date(atMs).toISOString();
      print(json, { file, bytes, lastSeq, at, durationMs, secretKeyFile: resolve(secretKeyFile) }, [
        `${file} has the database as of ${at}: entries of the ledger up to ${lastSeq}.`,
        `${bytes.toLocaleString('en')} bytes, copied and checked in ${durationMs.toLocaleString('en')} ms.`,
        `Needed with it, and not in it: the secret key, ${resolve(secretKeyFile)}.`,
      ]);
    });
