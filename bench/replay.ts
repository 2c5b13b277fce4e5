import { randomUUID } from 'node:crypto';
import Sqlite from 'better-sqlite3';
import { v7 as uuidv7 } from 'uuid';
import type { Program, Step } from './program.ts';
import { NEW_ID, type Value } from './value.ts';

/** Executes the statements of a program, and nothing else: prepared once, and without a query builder. */
export interface Replay {
  /** Reads what a request reads before it writes; gives the rows of each statement. */
  read(names: Names): Rows;
  /** Writes with whatever else comes in this turn of the event loop; `done` follows the commit. */
  write(names: Names, done: () => void): void;
  /** Writes all of these, in transactions that last no longer than so many milliseconds. */
  writeAll(all: readonly Names[], chunkMs: number): Promise<void>;
  /** The header fields of the answer, and its body. */
  headers(names: Names): Record<string, string>;
  body(names: Names): string;
}

/** What is known of a request, by its names; new ids are added. */
export type Names = Record<string, string>;

export type Row = Readonly<Record<string, unknown>>;

/** Requests in one transaction at the most: as many as the gateway has. */
const BATCH_MAX = 256;

export const newRequestId = () => `req-${randomUUID().slice(0, 14)}`;

export function openReplay(file: string, { pragmas, reads, writes, answer }: Program): Replay {
  const writer = new Sqlite(file);
  for (const pragma of pragmas.writer) writer.exec(pragma);
  const reader = new Sqlite(file, { readonly: true });
  for (const pragma of pragmas.reader) reader.exec(pragma);

  const read = compile(reader, [...reads.before, ...reads.each]);
  const before = compile(writer, writes.before);
  const each = compile(writer, writes.each);
  const after = compile(writer, writes.after);
  const headers = answer.headers.map(({ name, value }) => [name, compileValue(value)] as const);
  const body = compileValue(answer.body);

  let waiting: { names: Names; done: () => void }[] = [];
  const flush = () => {
    const jobs = waiting.slice(0, BATCH_MAX);
    waiting = waiting.slice(BATCH_MAX);
    const nowMs = Date.now();
    before(jobs[0]?.names ?? {}, nowMs);
    for (const { names } of jobs) each(names, nowMs);
    after(jobs[0]?.names ?? {}, nowMs);
    for (const { done } of jobs) done();
    if (waiting.length > 0) setImmediate(flush);
  };

  return {
    read: (names) => read(names, Date.now()),
    write(names, done) {
      if (waiting.push({ names, done }) === 1) setImmediate(flush);
    },
    async writeAll(all, chunkMs) {
      for (let i = 0; i < all.length; ) {
        const nowMs = Date.now();
        const until = performance.now() + chunkMs;
        before(all[i] ?? {}, nowMs);
        do each(all[i++] ?? {}, nowMs);
        while (i < all.length && performance.now() < until);
        after(all[i - 1] ?? {}, nowMs);
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
    headers(names) {
      const said: Record<string, string> = {};
      for (const [name, value] of headers) said[name] = String(value(names, 0, []));
      return said;
    },
    body: (names) => String(body(names, 0, [])),
  };
}

export type Rows = readonly (readonly Row[])[];
type Run = (names: Names, nowMs: number) => Rows;
type Take = (names: Names, nowMs: number, results: Rows) => unknown;

function compile(db: Sqlite.Database, steps: readonly Step[]): Run {
  const prepared = steps.map(({ sql, method, values, found, changes }) => ({
    ...{ sql, method, found, changes },
    statement: db.prepare<unknown[], Row>(sql),
    values: values.map(compileValue),
  }));
  return (names, nowMs) => {
    const results: (readonly Row[])[] = [];
    for (const { sql, statement, method, values, found, changes } of prepared) {
      const parameters = values.map((value) => value(names, nowMs, results));
      if (method === 'run') {
        if (statement.run(parameters).changes !== changes) throw new Error(`Changed else: ${sql}`);
        results.push([]);
        continue;
      }
      const rows = statement.all(parameters);
      if (rows.length > 0 !== found) throw new Error(`Found ${rows.length} rows by: ${sql}`);
      for (const row of rows) if (!isGood(row, nowMs)) throw new Error(`Not good: ${row.id}`);
      results.push(rows);
    }
    return results;
  };
}

/** Whether a row that can be revoked, or that expires, has not. */
const isGood = ({ revoked_at_ms, expires_at_ms }: Row, nowMs: number) =>
  revoked_at_ms == null && (expires_at_ms == null || (expires_at_ms as number) > nowMs);

function compileValue(value: Value): Take {
  if ('constant' in value) return () => value.constant;
  if ('now' in value) return (_names, nowMs) => nowMs;
  if ('name' in value) return nameOf(value.name);
  if ('step' in value) return (_names, _now, results) => results[value.step]?.[0]?.[value.column];
  const parts = value.text.map((part) => (typeof part === 'string' ? part : nameOf(part.name)));
  return (names) =>
    parts.reduce<string>(
      (text, part) => text + (typeof part === 'string' ? part : part(names)),
      '',
    );
}

function nameOf(name: string): (names: Names) => string {
  if (!name.startsWith(NEW_ID)) return (names) => names[name] ?? missing(name);
  return (names) => {
    names[name] ??= uuidv7();
    return names[name];
  };
}

function missing(name: string): never {
  throw new Error(`Nobody said what ${name} is`);
}
