import type { Kysely, Transaction } from 'kysely';
import type { Tables } from '../../db/tables.ts';
import type { QueryLog } from './direct.ts';

/** An open database: connections that only read, and one that writes. */
export interface Database {
  /** Sees what is committed, and cannot write. */
  readonly reader: Kysely<Tables>;
  /** Brings the schema up to date, and does nothing else. */
  readonly migrator: Kysely<Tables>;
  /** Begins the only transaction that may be open for writing in this process: the commit queue's. */
  begin(): Promise<Opened>;
  close(): Promise<void>;
}

/** A transaction in which nobody else writes until it ends. */
export interface Opened {
  readonly tx: Transaction<Tables>;
  /** Resolves once it is on disk. */
  commit(): Promise<void>;
  rollback(): Promise<void>;
}

export interface OpenOptions {
  readonly log?: QueryLog;
  /** Whether writers on PostgreSQL wait for each other, and do not just repeat what has collided. */
  readonly turns?: boolean;
}

/**
 * Opens the database that a `DATABASE_URL` names; an SQLite file and its folder are made if need be. The
 * driver of the other engine is not loaded.
 */
export async function openDatabase(url: string, options: OpenOptions = {}): Promise<Database> {
  if (url.startsWith('sqlite:')) return (await import('./sqlite.ts')).openSqlite(url, options);
  return (await import('./postgres.ts')).openPostgres(url, options);
}
