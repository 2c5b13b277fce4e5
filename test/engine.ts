import { closeSync, copyFileSync, existsSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import Sqlite from 'better-sqlite3';
import pg from 'pg';
import { inject, onTestFinished } from 'vitest';
import type { Wanted } from './engine-worker.ts';

/** The engine on which the suite runs: the same tests run once on each. */
export const engine = inject('postgres') === undefined ? 'sqlite' : 'postgres';

/** The `DATABASE_URL` for the gateway whose files lie in this folder: its schema is there already. */
export function databaseIn(folder: string): string {
  const server = inject('postgres');
  if (server !== undefined) return lentTo(folder, server, 'migrated');
  const file = join(folder, 'gateway.db');
  if (!existsSync(file)) copyFileSync(inject('template'), file);
  return `sqlite:${file}`;
}

/** The same without a schema. */
export function emptyDatabaseIn(folder: string): string {
  const server = inject('postgres');
  if (server !== undefined) return lentTo(folder, server, 'empty');
  const file = join(folder, 'gateway.db');
  closeSync(openSync(file, 'a', 0o600));
  return `sqlite:${file}`;
}

const lent = new Map<string, number>();
let worker: Worker | undefined;

function lentTo(folder: string, server: string, what: Wanted): string {
  let n = lent.get(folder);
  if (n === undefined) {
    n = lend(server, what);
    lent.set(folder, n);
    onTestFinished(() => worker?.postMessage({ back: n }));
  }
  return `${server}/gateway_${n}`;
}

/** Waits without a turn of the event loop: who asks where a database is has it. */
function lend(server: string, what: Wanted): number {
  worker ??= new Worker(new URL('./engine-worker.ts', import.meta.url), { workerData: server });
  worker.unref();
  const done = new Int32Array(new SharedArrayBuffer(4));
  worker.postMessage({ what, done });
  Atomics.wait(done, 0, 0, 30_000);
  const [n = 0] = done;
  if (n < 1) throw new Error('There is no database for this test');
  return n;
}

/** A connection past the gateway. */
export interface Past {
  /** The rows; parameters are written as `?`. */
  all<Row = Record<string, unknown>>(sql: string, ...parameters: unknown[]): Promise<Row[]>;
  close(): Promise<void>;
}

/** Opens a connection to the database of a folder, as somebody who is not the gateway. */
export async function past(folder: string): Promise<Past> {
  const url = databaseIn(folder);
  const opened = url.startsWith('sqlite:') ? pastSqlite(url.slice(7)) : await pastPostgres(url);
  onTestFinished(() => opened.close().catch(() => undefined));
  return opened;
}

function pastSqlite(file: string): Past {
  const db = new Sqlite(file);
  return {
    async all<Row>(sql: string, ...parameters: unknown[]) {
      if (parameters.length === 0 && /;|^create/i.test(sql)) return db.exec(sql) && [];
      const statement = db.prepare(sql);
      if (statement.reader) return statement.all(...parameters) as Row[];
      statement.run(...parameters);
      return [];
    },
    close: async () => void db.close(),
  };
}

async function pastPostgres(url: string): Promise<Past> {
  const client = new pg.Client({ connectionString: url });
  pg.types.setTypeParser(pg.types.builtins.INT8, Number);
  await client.connect();
  return {
    async all(sql, ...parameters) {
      let i = 0;
      const text = parameters.length === 0 ? sql : sql.replaceAll('?', () => `$${++i}`);
      return (await client.query(text, parameters.length === 0 ? undefined : parameters)).rows;
    },
    close: () => client.end(),
  };
}
