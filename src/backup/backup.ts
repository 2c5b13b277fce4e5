import { closeSync, existsSync, fdatasyncSync, openSync, statSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import Sqlite from 'better-sqlite3';
import { startProblem } from '../database/start-problem.ts';
import { draft } from '../draft.ts';
import { StartError } from '../start-error.ts';
import { checkWhole, type Whole } from './whole.ts';

export interface BackingUp {
  /** The database, which may be served meanwhile. */
  readonly source: string;
  /** The file that is made. */
  readonly file: string;
  readonly signal: AbortSignal;
  /** Told what is being done, and how far it is. */
  readonly progress: (what: string, count: number) => void;
}

/** What was made. */
export interface Backup extends Whole {
  /** As of when. */
  readonly atMs: number;
  readonly bytes: number;
}

/**
 * Copies a database while it is served: all that was answered before this began is in the copy, and of
 * what comes meanwhile nothing. The copy has its name once it is whole, checked and on disk.
 */
export async function backUp({ source, file, signal, progress }: BackingUp): Promise<Backup> {
  if (!existsSync(source)) throw new StartError(`There is no database ${source}.`);
  if (existsSync(file)) throw new StartError(`${file} exists: choose another name with --to.`);
  const drafted = await draft(file);
  try {
    const begun = await copy({ source, file: drafted.path, signal, progress });
    const whole = check(drafted.path, file);
    signal.throwIfAborted();
    if (whole.lastSeq !== begun.lastSeq) {
      throw new StartError(`${source} was changed in an unknown way while it was copied.`);
    }
    await drafted.publish();
    return { ...whole, atMs: begun.atMs, bytes: statSync(file).size };
  } finally {
    await drafted.discard();
  }
}

/** Pages that are copied at once, and brought to disk: in larger portions, those who commit wait for them. */
const PAGES_MAX = 256;

async function copy({ source, file, signal, progress }: BackingUp) {
  const db = openSource(source);
  const target = openSync(file, 'r+');
  try {
    // A transaction that only reads, for as long as it takes: without it, each commit would begin it anew.
    db.exec('begin');
    const lastSeq = Number(
      db.prepare('select coalesce(max(seq), 0) from ledger').pluck().get() ?? 0,
    );
    const atMs = Date.now();
    await db.backup(file, {
      progress({ totalPages, remainingPages }) {
        signal.throwIfAborted();
        fdatasyncSync(target);
        progress(`pages of ${totalPages.toLocaleString('en')}`, totalPages - remainingPages);
        return PAGES_MAX;
      },
    });
    db.exec('commit');
    await checkpoint(db);
    return { lastSeq, atMs };
  } catch (error) {
    throw copyProblem(source, error);
  } finally {
    closeSync(target);
    db.close();
  }
}

/** What is read is the gateway's own, and well where it serves: what fails is mostly the copy. */
function copyProblem(source: string, error: unknown): unknown {
  const { code = '', message } = error as NodeJS.ErrnoException;
  if (!/^(?:SQLITE_(?:FULL|IOERR|READONLY|CANTOPEN)|E[A-Z]+$)/.test(code)) {
    return startProblem(`${source} cannot be copied`, error);
  }
  return new StartError(
    `The copy cannot be written (${message}): make room there, or choose another place with --to.`,
    { cause: error },
  );
}

/** For a lock that somebody holds for a moment. */
const SOURCE_TIMEOUT_MS = 5_000;

function openSource(source: string): Sqlite.Database {
  try {
    return new Sqlite(source, { fileMustExist: true, timeout: SOURCE_TIMEOUT_MS });
  } catch (error) {
    throw startProblem(`The database ${source} cannot be opened`, error);
  }
}

/** Pages of the log that a commit copies into the file by itself, as SQLite has it. */
const CHECKPOINT_PAGES = 1_000;
const CHECKPOINTS_MAX = 20;
const CHECKPOINT_PAUSE_MS = 5;

/**
 * Meanwhile nobody could copy the log into the file. Whoever committed next would do it for all that has
 * come, and have others wait: so it is done here, where they wait for nothing but the disk.
 */
async function checkpoint(db: Sqlite.Database): Promise<void> {
  for (let i = 0; i < CHECKPOINTS_MAX; i++) {
    const [done] = db.pragma('wal_checkpoint(passive)') as { log: number; checkpointed: number }[];
    const { log = 0, checkpointed = 0 } = done ?? {};
    // Minus one: another process does just that.
    if (log >= 0 && log - checkpointed < CHECKPOINT_PAGES) return;
    if (log < 0) await pause(CHECKPOINT_PAUSE_MS);
  }
}

/** Reads the copy whole, once it is a single file. */
function check(path: string, name: string): Whole {
  const db = new Sqlite(path, { fileMustExist: true });
  try {
    db.pragma('journal_mode = delete');
    return checkWhole(db, name);
  } finally {
    db.close();
  }
}
