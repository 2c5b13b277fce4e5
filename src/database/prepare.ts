import type { CompiledQuery, Kysely, QueryResult } from 'kysely';
import type { Tables } from '../../db/tables.ts';

/** Stands where a value will be. */
class Slot {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

const texts = new Set<string>();

/** Whether `prepare` has made this text: there are as many of them as the code has. */
export const isPrepared = (sql: string): boolean => texts.has(sql);

interface Compilable<Row> {
  compile(): CompiledQuery<Row>;
}

/** Says where the values go: it may be used wherever Kysely takes a value. */
export type Slots<Values> = <Name extends keyof Values & string>(name: Name) => Values[Name];

/**
 * A query that is built and compiled once for each engine, and run with other values each time: what
 * every request asks costs no more than the engine takes for it. Values cannot be `undefined`.
 */
export function prepare<Values extends object, Row>(
  build: (db: Kysely<Tables>, slot: Slots<Values>) => Compilable<Row>,
): (db: Kysely<Tables>, values: Values) => Promise<QueryResult<Row>> {
  const compiled = new Map<unknown, CompiledQuery<Row>>();
  return (db, values) => {
    const executor = db.getExecutor();
    const engine = executor.adapter.constructor;
    let prepared = compiled.get(engine);
    if (prepared === undefined) {
      prepared = build(db, (name) => new Slot(name) as never).compile();
      compiled.set(engine, prepared);
      texts.add(prepared.sql);
    }
    const { query, queryId, sql, parameters } = prepared;
    const filled: unknown[] = [];
    for (const each of parameters) {
      filled.push(each instanceof Slot ? values[each.name as keyof Values] : each);
    }
    return executor.executeQuery<Row>({ query, queryId, sql, parameters: filled });
  };
}
