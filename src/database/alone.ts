import { existsSync } from 'node:fs';
import Sqlite from 'better-sqlite3';
import pg from 'pg';
import { StartError } from '../start-error.ts';
import { isBusy } from '../unavailable.ts';
import { APPLICATION_NAME } from './postgres.ts';
import { sqliteFileOf } from './read-only.ts';

/** For a command that is about to end. */
const LOCK_TIMEOUT_MS = 1_000;

/**
 * Takes an SQLite file for oneself: until it is closed nobody else opens it. What lies in the log has come
 * into the file, which is then all there is.
 *
 * @throws StartError where somebody has it open
 */
export function openAlone(file: string): Sqlite.Database {
  const db = new Sqlite(file, { timeout: LOCK_TIMEOUT_MS });
  try {
    db.pragma('locking_mode = exclusive');
    db.pragma('journal_mode = delete');
    db.prepare('select count(*) from sqlite_schema').get();
    return db;
  } catch (error) {
    db.close();
    throw isBusy(error) ? inUse(file) : error;
  }
}

/** Throws where a gateway, or a command of one, has the database open. */
export async function checkAlone(databaseUrl: string): Promise<void> {
  const file = sqliteFileOf(databaseUrl);
  if (file !== undefined) {
    if (existsSync(file)) openAlone(file).close();
    return;
  }
  if (databaseUrl.startsWith('sqlite:')) return;
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rowCount } = await client.query(
      `select from pg_stat_activity
       where datname = current_database() and application_name = '${APPLICATION_NAME}'`,
    );
    if (rowCount !== 0) throw inUse('this database');
  } finally {
    await client.end();
  }
}

const inUse = (what: string) =>
  new StartError(
    `Another process has ${what} open: stop every gateway, and whatever would start one again.`,
  );
