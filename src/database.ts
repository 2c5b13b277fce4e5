import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import Sqlite from 'better-sqlite3';
import {
  CompiledQuery,
  type DatabaseConnection,
  Kysely,
  type LogConfig,
  type SqliteDatabase,
  SqliteDialect,
  SqliteDriver,
  type SqliteStatement,
} from 'kysely';
import { Migrator } from 'kysely/migration';
import { LRUCache } from 'lru-cache';
import pRetry from 'p-retry';
import * as migration0001 from '../db/migrations/0001_gateway.ts';
import * as migration0002 from '../db/migrations/0002_issuing.ts';
import * as migration0003 from '../db/migrations/0003_delivery.ts';
import * as migration0004 from '../db/migrations/0004_feed.ts';
import type { Tables } from '../db/tables.ts';
import { StartError } from './start-error.ts';
import { isBusy } from './unavailable.ts';

/** An open database: one connection that writes, one that only reads. */
export interface Database {
  /** Used by the commit queue alone. */
  writer: Kysely<Tables>;
  /** Sees what is committed, and cannot write. In memory it is the writer, one user at a time. */
  reader: Kysely<Tables>;
  close(): Promise<void>;
}

export type OpenOptions = { log?: LogConfig };

/** Opens the database that a `DATABASE_URL` names, creating the file and its folder if need be. */
export function openDatabase(url: string, options: OpenOptions = {}): Database {
  const file = url.replace(/^sqlite:(\/\/)?/, '');
  try {
    return openFile(file, options);
  } catch (error) {
    throw new StartError(
      `The database ${file} cannot be opened (${(error as Error).message}): ` +
        'point DATABASE_URL to a file of this gateway, or to one that can be made.',
      { cause: error },
    );
  }
}

function openFile(file: string, options: OpenOptions): Database {
  const log = options.log === undefined ? {} : { log: options.log };
  if (file === ':memory:') {
    const writer = new Kysely<Tables>({ dialect: new GatewayDialect(openSqlite(file)), ...log });
    return { writer, reader: writer, close: () => writer.destroy() };
  }
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  // For its owner alone; the files that SQLite puts beside it are made alike.
  closeSync(openSync(file, 'a', 0o600));
  const writer = new Kysely<Tables>({ dialect: new GatewayDialect(openSqlite(file)), ...log });
  const reader = new Kysely<Tables>({
    dialect: new GatewayDialect(openSqlite(file, { readonly: true })),
    ...log,
  });
  return {
    writer,
    reader,
    close: async () => {
      await reader.destroy();
      await writer.destroy();
    },
  };
}

/** Brings the schema to the newest version; says which migrations it ran. */
export async function migrate(db: Kysely<Tables>): Promise<string[]> {
  const migrator = new Migrator({
    db,
    provider: {
      getMigrations: async () => ({
        '0001_gateway': migration0001,
        '0002_issuing': migration0002,
        '0003_delivery': migration0003,
        '0004_feed': migration0004,
      }),
    },
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
        isBusy(error) || /already exists|duplicate column/.test(error.message),
    });
  } catch (error) {
    throw new StartError(
      `The schema of the database cannot be brought up to date (${(error as Error).message}): ` +
        'point DATABASE_URL to a file of this gateway, and run the newest version on it.',
      { cause: error },
    );
  }
}

/** While the file is opened. */
const OPEN_TIMEOUT_MS = 5_000;
/** For one statement: SQLite waits without letting go of the thread, so who waits longer asks again. */
const BUSY_TIMEOUT_MS = 50;
/** Distinct statements kept prepared for each connection; the gateway has fewer than 100. */
const STATEMENTS_MAX = 500;

function openSqlite(file: string, options: { readonly?: boolean } = {}): SqliteDatabase {
  const db = new Sqlite(file, { ...options, timeout: OPEN_TIMEOUT_MS });
  if (!options.readonly) {
    db.pragma('journal_mode = WAL');
    // An answer is given only once its commit has reached the disk.
    db.pragma('synchronous = FULL');
  }
  db.pragma('foreign_keys = ON');
  // REPLACE deletes rows too: the append-only triggers must see it.
  db.pragma('recursive_triggers = ON');
  db.pragma(`busy_timeout = ${BUSY_TIMEOUT_MS}`);
  const statements = new LRUCache<string, SqliteStatement>({ max: STATEMENTS_MAX });
  return {
    close: () => db.close(),
    prepare: (sql) => {
      const cached = statements.get(sql);
      if (cached !== undefined) return cached;
      const statement = db.prepare<unknown[]>(sql) as SqliteStatement;
      statements.set(sql, statement);
      return statement;
    },
  };
}

class GatewayDialect extends SqliteDialect {
  readonly #database: SqliteDatabase;

  constructor(database: SqliteDatabase) {
    super({ database });
    this.#database = database;
  }

  override createDriver(): SqliteDriver {
    return new ImmediateDriver({ database: this.#database });
  }
}

/** Takes the write lock at the start, so that a transaction never fails half way to get it. */
class ImmediateDriver extends SqliteDriver {
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'));
  }
}
