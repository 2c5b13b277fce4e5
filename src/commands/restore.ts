import { once } from 'node:events';
import { resolve } from 'node:path';
import { Command } from 'commander';
import { isUnread, type UnreadArchive } from '../backup/entries.ts';
import { commonEnd, type MissingRevocation, revocationsAfter } from '../backup/missing.ts';
import { type Restored, restore } from '../backup/restore.ts';
import { readConfig } from '../config.ts';
import { openReadOnly, sqliteFileOf } from '../database/read-only.ts';
import { howToRun } from '../how-to-run.ts';
import { StartError } from '../start-error.ts';
import { notOfAFile } from './backup.ts';
import { print } from './output.ts';
import { EXIT_NO } from './remote/exit-codes.ts';
import { printable } from './remote/screen.ts';

interface Options {
  from?: string;
  json?: boolean;
}

const RESTORE = `stop every gateway, and run
  pg_restore --clean --if-exists --dbname="$DATABASE_URL" FILE
(docs/postgresql.md says more).`;

export const restoreCommand = () =>
  new Command('restore')
    .description('put a backup in the place of the database; stop the gateway first')
    .option('--from <file>', 'the backup, which stays as it is')
    .option('--json', 'print JSON: file, lastSeq, lastAt, keptAs, missing')
    .addHelpText(
      'after',
      `
Examples:
  gateway restore --from /var/backups/gateway-2026-11-21.db
  gateway restore missing data/gateway.db.before-restore-20261121T090000000Z

The database that was there is kept beside it. What was revoked since the backup is good
again: "restore missing" lists it, with what was archived since.

Ends with
  0  it is done
  1  it failed
  3  it is done, and an archive could not be read that may have more revocations

docs/operations.md says more.`,
    )
    .action(async ({ from, json }: Options) => {
      if (from === undefined) throw new StartError('Say with --from which backup to restore.');
      const { databaseUrl, secretKeyFile } = readConfig();
      const file = sqliteFileOf(databaseUrl);
      if (file === undefined) throw notOfAFile(databaseUrl, RESTORE);
      const restored = await restore({ from: resolve(from), file, secretKeyFile });
      const { lastAtMs, ...shown } = restored;
      const lastAt = lastAtMs === null ? null : new Date(lastAtMs).toISOString();
      print(json, { file, lastAt, ...shown }, lines(file, from, restored));
      for (const each of restored.missing?.unreadArchives ?? []) complain(each);
    })
    .addCommand(missing());

function lines(file: string, from: string, { lastSeq, keptAs, missing }: Restored): string[] {
  const said = [`${file} is what ${from} has: entries of the ledger up to ${lastSeq}.`];
  if (keptAs === null) return said;
  said.push(`What was there is kept as ${keptAs}.`);
  if (missing === null) {
    return [...said, 'It cannot be read: docs/operations.md says how to find what it had.'];
  }
  const { entries, revocations, revivedKeys, unreadArchives } = missing;
  const count = unreadArchives.length > 0 ? `at least ${revocations}` : revocations;
  said.push(
    `It had ${entries} entries more. Revocations among them, which count no more: ${count}.`,
  );
  if (revocations > 0) said.push(`They are listed by: ${howToRun(`restore missing ${keptAs}`)}`);
  for (const kid of revivedKeys) {
    said.push(`Signing key ${kid} was retired, and counts again.`);
  }
  return said;
}

/** Says what is not known, so that a script notices too. */
function complain({ file, firstSeq, lastSeq, entries, why }: UnreadArchive): void {
  const what =
    `Revocations among entries ${firstSeq} to ${lastSeq} (${entries}) are not known: they are archived in ` +
    `${file}, which cannot be read (${why}). Put it back there, and run "restore missing".`;
  process.stderr.write(`${printable(what)}\n`);
  process.exitCode = EXIT_NO;
}

const missing = () =>
  new Command('missing')
    .description('list the revocations that another database has, and the one in use has not')
    .argument('<file>', 'the other database, such as the one that a restore has kept')
    .option('--json', 'print JSON, one object a line: seq, at, organization, kind, id, target, …')
    .action(async (file: string, _options: Options, command: Command) => {
      const { json } = command.optsWithGlobals<Options>();
      const { databaseUrl } = readConfig();
      const used = sqliteFileOf(databaseUrl);
      if (used === undefined) throw notOfAFile(databaseUrl, 'compare the ledgers of the two.');
      const [other, present] = [openReadOnly(resolve(file)), openReadOnly(used)];
      try {
        for await (const each of revocationsAfter(other, await commonEnd(other, present))) {
          if (isUnread(each)) complain(each);
          else if (!process.stdout.write(`${json ? jsonOf(each) : lineOf(each)}\n`)) {
            await once(process.stdout, 'drain');
          }
        }
      } finally {
        other.close();
        present.close();
      }
    });

const jsonOf = ({ seq, atMs, ...more }: MissingRevocation): string =>
  JSON.stringify({ seq, at: new Date(atMs).toISOString(), ...more });

const lineOf = ({ atMs, organization, kind, id, target, reason }: MissingRevocation): string =>
  printable([new Date(atMs).toISOString(), organization, kind, id ?? target, reason].join('  '));
