import { existsSync } from 'node:fs';
import Sqlite from 'better-sqlite3';
import { StartError } from '../start-error.ts';

/** For a lock that somebody holds for a moment. */
const READ_TIMEOUT_MS = 5_000;

/** The file that a `DATABASE_URL` names; undefined where it names a server, or what is in memory alone. */
export function sqliteFileOf(url: string): string | undefined {
  const file = url.replace(/^sqlite:(\/\/)?/, '');
  return file === url || file === ':memory:' ? undefined : file;
}

/** Opens an SQLite file that is there, beside whoever else has it open. It is read, and nothing else. */
export function openReadOnly(file: string): Sqlite.Database {
  if (!existsSync(file)) throw new StartError(`There is no database ${file}.`);
  // Where nobody has it open there is no log. A connection that cannot write would make one, and leave it.
  const readonly = existsSync(`${file}-wal`);
  const db = new Sqlite(file, { readonly, fileMustExist: true, timeout: READ_TIMEOUT_MS });
  db.pragma('query_only = ON');
  return db;
}
