import Sqlite from 'better-sqlite3';

/**
 * Loaded into a process before everything else: notes each statement that it has SQLite execute, and
 * tells the process that started it when that asks.
 */

/** A statement that was executed. */
export interface Executed {
  /** Which connection, and whether it can only read. */
  readonly connection: number;
  readonly readonly: boolean;
  readonly sql: string;
  readonly method: Method;
  readonly parameters: readonly Scalar[];
  /** What came of it. */
  readonly rows: readonly Readonly<Record<string, Scalar>>[];
  readonly changes: number | undefined;
}

export type Method = 'all' | 'get' | 'run' | 'exec';
export type Scalar = string | number | null;

type Rows = Executed['rows'];

/** What is noted of an answer: enough to tell of what the next statement was made. */
const ROWS_NOTED = 100;

let noted: Executed[] = [];
const connections = new WeakMap<object, number>();
let opened = 0;

function note(db: Sqlite.Database, sql: string, method: Method, given: unknown[], result: unknown) {
  const connection = connections.get(db) ?? ++opened;
  connections.set(db, connection);
  const rows = (method === 'all' ? result : method === 'get' && result ? [result] : []) as Rows;
  noted.push({
    ...{ connection, readonly: db.readonly, sql, method },
    parameters: given.flat() as Scalar[],
    rows: rows.slice(0, ROWS_NOTED),
    changes: method === 'run' ? (result as Sqlite.RunResult).changes : undefined,
  });
}

const sample = new Sqlite(':memory:');
const statements = Object.getPrototypeOf(sample.prepare('select 1')) as Sqlite.Statement;
sample.close();
for (const method of ['all', 'get', 'run'] as const) {
  const execute = statements[method] as (...given: unknown[]) => unknown;
  statements[method] = function (this: Sqlite.Statement, ...given: unknown[]) {
    const result = execute.apply(this, given);
    note(this.database, this.source, method, given, result);
    return result;
  } as never;
}
const databases = Sqlite.prototype as Sqlite.Database;
const { exec } = databases;
databases.exec = function (this: Sqlite.Database, sql: string) {
  note(this, sql, 'exec', [], undefined);
  return exec.call(this, sql);
};

process.on('message', (message) => {
  if (message !== 'take') return;
  process.send?.({ noted });
  noted = [];
});
process.channel?.unref();
