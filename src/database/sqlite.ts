import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import Sqlite from 'better-sqlite3';
import {
  CompiledQuery,
  type DatabaseConnection,
  Kysely,
  SqliteAdapter,
  type SqliteDatabase,
  SqliteDialect,
  SqliteDriver,
} from 'kysely';
import { LRUCache } from 'lru-cache';
import type { Tables } from '../../db/tables.ts';
import type { Database, OpenOptions } from './database.ts';
import { directly, logged, type Run, transactionOn } from './direct.ts';
import { rememberFiles } from './same-files.ts';
import { startProblem } from './start-problem.ts';

/** While the file is opened. */
const OPEN_TIMEOUT_MS = 5_000;
/** For one statement: SQLite waits without letting go of the thread, so who waits longer asks again. */
const BUSY_TIMEOUT_MS = 50;
/** Distinct statements kept prepared for each connection; the gateway has fewer than 100. */
const STATEMENTS_MAX = 500;
/** Their characters together, each of which costs some 30 bytes. */
const STATEMENTS_CHARS_MAX = 200_000;

/** Opens an SQLite file, or a database in memory; whatever reads waits there until who writes is done. */
export function openSqlite(url: string, options: OpenOptions): Database {
  const file = url.replace(/^sqlite:(\/\/)?/, '');
  try {
    return openFile(file, options);
  } catch (error) {
    throw startProblem(`The database ${file} cannot be opened`, error);
  }
}

function openFile(file: string, { log }: OpenOptions): Database {
  const memory = file === ':memory:';
  if (!memory) {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    // For its owner alone; the files that SQLite puts beside it are made alike.
    closeSync(openSync(file, 'a', 0o600));
  }
  const write = connect(file);
  const read = memory ? write : connect(file, { readonly: true });
  // The first look at the schema also makes the files that lie beside it.
  read.prepare('select count(*) from sqlite_schema').get();
  const files = memory ? undefined : rememberFiles(file);
  const dialect = new MigratingDialect(write);
  const migrator = new Kysely<Tables>({ dialect, ...(log && { log }) });
  const running = { write: logged(runOn(write), log), read: logged(runOn(read), log) };
  let open: PromiseWithResolvers<void> | undefined;
  const afterOpen: Run = async (query) => {
    while (open !== undefined) await open.promise;
    return await running.read(query);
  };
  const ofSameFiles: Run = async (query) => {
    files?.checkSometimes();
    return await running.read(query);
  };
  const tx = transactionOn(dialect, running.write);
  const end = async (how: 'commit' | 'rollback') => {
    try {
      await running.write(CompiledQuery.raw(how));
    } finally {
      open?.resolve();
      open = undefined;
    }
  };
  return {
    reader: directly(dialect, memory ? afterOpen : ofSameFiles),
    migrator,
    async begin() {
      files?.checkSometimes();
      await running.write(CompiledQuery.raw('begin immediate'));
      open = Promise.withResolvers();
      const commit = async () => {
        await end('commit');
        // Only now: what is answered after this look is in files that will be found again.
        files?.check();
      };
      return { tx, commit, rollback: () => end('rollback') };
    },
    async close() {
      await migrator.destroy();
      if (read !== write) read.close();
      write.close();
    },
  };
}

function connect(file: string, options: { readonly?: boolean } = {}): Sqlite.Database {
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
  return db;
}

function runOn(db: Sqlite.Database): Run {
  const statements = new LRUCache<string, Sqlite.Statement>({
    max: STATEMENTS_MAX,
    maxSize: STATEMENTS_CHARS_MAX,
    sizeCalculation: (_statement, sql) => sql.length,
  });
  return async ({ sql, parameters }) => {
    let statement = statements.get(sql);
    if (statement === undefined) {
      statement = db.prepare(sql);
      statements.set(sql, statement);
    }
    if (statement.reader) return { rows: statement.all(parameters) as never[] };
    return { rows: [], numAffectedRows: BigInt(statement.run(parameters).changes) };
  };
}

/** SQLite for migrations alone: whole, and one process at a time. */
class MigratingDialect extends SqliteDialect {
  readonly #database: SqliteDatabase;

  constructor(db: Sqlite.Database) {
    // Who opened it closes it.
    const database = { prepare: (sql: string) => db.prepare(sql), close: () => undefined };
    super({ database: database as SqliteDatabase });
    this.#database = database as SqliteDatabase;
  }

  override createAdapter(): SqliteAdapter {
    return new TransactionalAdapter();
  }

  override createDriver(): SqliteDriver {
    return new ImmediateDriver({ database: this.#database });
  }
}

/** Has migrations done as a whole or not at all, also where the process is killed. */
class TransactionalAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

/** Takes the write lock at the start, so that a transaction never fails half way to get it. */
class ImmediateDriver extends SqliteDriver {
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'));
  }
}
