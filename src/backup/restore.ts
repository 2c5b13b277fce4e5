import {
  closeSync,
  copyFileSync,
  existsSync,
  linkSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { chmod } from 'node:fs/promises';
import Sqlite from 'better-sqlite3';
import { openAlone } from '../database/alone.ts';
import { migrationNames } from '../database/migrate.ts';
import { startProblem } from '../database/start-problem.ts';
import { type Draft, draft } from '../draft.ts';
import { readSecrets, secretKeyOf } from '../keys/secret-key.ts';
import { StartError } from '../start-error.ts';
import { type Counted, commonEnd, countAfter, revivedKeys } from './missing.ts';
import { checkWhole, type Whole } from './whole.ts';

export interface Restoring {
  /** The backup, which stays as it is. */
  readonly from: string;
  /** The database. */
  readonly file: string;
  readonly secretKeyFile: string;
}

/** What came of it. */
export interface Restored extends Whole {
  /** Where the database that was there is now; null: there was none. */
  readonly keptAs: string | null;
  /** What that had and the backup has not; null where it cannot be read. */
  readonly missing: Missing | null;
}

/** What the database of before knew that the one of now does not. */
export interface Missing extends Counted {
  /** Signing keys that had been retired, and count again. */
  readonly revivedKeys: readonly string[];
}

/**
 * Puts a backup in the place of the database. It is copied beside it and checked there, and takes its place
 * at once: whatever interrupts this, the database is there, the one of before or the one of the backup.
 */
export async function restore(restoring: Restoring): Promise<Restored> {
  const { from, file } = restoring;
  if (!existsSync(from)) throw new StartError(`There is no file ${from}.`);
  if (existsSync(file) && isSameFile(from, file)) {
    throw new StartError(
      `${from} is the database itself: say with --from which backup to restore.`,
    );
  }
  if (existsSync(`${from}-wal`)) {
    throw new StartError(
      `${from} is open, or was copied while it was: ${from}-wal lies beside it. Restore a file that ` +
        '"gateway backup" has made.',
    );
  }
  const drafted = await draft(file);
  try {
    return await replace(restoring, drafted);
  } finally {
    await drafted.discard();
  }
}

async function replace(
  { from, file, secretKeyFile }: Restoring,
  drafted: Draft,
): Promise<Restored> {
  copyFileSync(from, drafted.path);
  await chmod(drafted.path, 0o600);
  const copy = new Sqlite(drafted.path);
  let old: Old | undefined;
  try {
    const whole = checkWhole(copy, from);
    checkSchema(copy, from);
    await checkSecretKey(copy, secretKeyFile, from);
    old = takeOld(file);
    const missing = old?.db === undefined ? null : await missingFrom(old.db, copy);
    // As it will be served: nobody changes its first page while others open it.
    copy.pragma('journal_mode = wal');
    copy.close();
    const keptAs = old === undefined ? null : keep(file);
    await drafted.replace();
    return { ...whole, keptAs, missing };
  } finally {
    copy.close();
    // Whoever waits for it opens what is there by now.
    old?.db?.close();
  }
}

const isSameFile = (one: string, other: string): boolean => {
  const [a, b] = [statSync(one), statSync(other)];
  return a.dev === b.dev && a.ino === b.ino;
};

function checkSchema(copy: Sqlite.Database, from: string): void {
  const names = copy.prepare<[], string>('select name from kysely_migration').pluck().all();
  if (names.every((name) => migrationNames.includes(name))) return;
  throw new StartError(`${from} was made by a newer gateway: run that one on it.`);
}

async function checkSecretKey(copy: Sqlite.Database, file: string, from: string): Promise<void> {
  const secretKey = secretKeyOf(readSecrets(file));
  const sealed = copy
    .prepare<[], string>('select private_jwe from signing_keys where retired_at_ms is null')
    .pluck()
    .all();
  const opened = await Promise.allSettled(sealed.map((jwe) => secretKey.unseal(jwe)));
  if (opened.every(({ status }) => status === 'fulfilled')) return;
  throw new StartError(
    `The secret key in ${file} does not open what lies in ${from}: point SECRET_KEY_FILE to the file ` +
      'that belongs to it.',
  );
}

/** The database that is there: nobody else has it open until it is let go; without one where it is damaged. */
interface Old {
  readonly db: Sqlite.Database | undefined;
}

function takeOld(file: string): Old | undefined {
  if (!existsSync(file)) return undefined;
  // Whoever opens what is none takes its log for one that is left over, and deletes it.
  if (!hasHeader(file)) return { db: undefined };
  try {
    return { db: openAlone(file) };
  } catch (error) {
    if (error instanceof StartError) throw error;
    const { code = '' } = error as { code?: string };
    if (/^SQLITE_(?:CORRUPT|NOTADB|IOERR)/.test(code)) return { db: undefined };
    throw startProblem(`The database ${file} cannot be opened`, error);
  }
}

/** Whether a file begins as SQLite's do, or has yet to begin. */
function hasHeader(file: string): boolean {
  const header = Buffer.alloc(16);
  const fd = openSync(file, 'r');
  const bytes = readSync(fd, header);
  closeSync(fd);
  return bytes === 0 || header.toString('latin1') === 'SQLite format 3\0';
}

async function missingFrom(old: Sqlite.Database, copy: Sqlite.Database): Promise<Missing | null> {
  try {
    const counts = await countAfter(old, await commonEnd(old, copy));
    return { ...counts, revivedKeys: revivedKeys(old, copy) };
  } catch {
    return null;
  }
}

/** Gives the database that is there a second name; a log that could not be copied into it goes along. */
function keep(file: string): string {
  const keptAs = `${file}.before-restore-${new Date().toISOString().replace(/[-:.]/g, '')}`;
  linkSync(file, keptAs);
  // Before another database is there: it would be taken for that one's.
  if (existsSync(`${file}-wal`)) renameSync(`${file}-wal`, `${keptAs}-wal`);
  rmSync(`${file}-shm`, { force: true });
  return keptAs;
}
