import type { Executed, Method, Scalar } from './record-hook.ts';
import { type Known, originOf, partsOf, type Value } from './value.ts';

/** The statements that a request costs, in order, as they were seen in the gateway. */

export interface Step {
  readonly sql: string;
  readonly method: Method;
  readonly values: readonly Value[];
  /** Whether there were rows, and how many were changed: it must be so again. */
  readonly found: boolean;
  readonly changes: number | undefined;
}

/** Statements that are executed once, then for each, then once more. */
export interface Steps {
  readonly before: readonly Step[];
  readonly each: readonly Step[];
  readonly after: readonly Step[];
}

export interface Program {
  /** What sets the connections up. */
  readonly pragmas: { readonly reader: readonly string[]; readonly writer: readonly string[] };
  /** What is read outside the transaction: `each` for each request, or for each id of a bulk request. */
  readonly reads: Steps;
  /** Of a transaction: `each` for each request that shares it, or for each id of a bulk request. */
  readonly writes: Steps;
  readonly answer: Answer;
  /** For how long one transaction of a bulk request takes up ids. */
  readonly chunkMs: number;
}

export interface Answer {
  readonly headers: readonly { readonly name: string; readonly value: Value }[];
  readonly body: Value;
}

/** What was executed and answered for so many requests of one kind, or for so many ids of one. */
export interface Observation {
  readonly executed: readonly Executed[];
  readonly shared: Known;
  readonly each: readonly Known[];
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Tells what each costs from what several share. Each observation is of as many as the first, or of more. */
export function toProgram(
  pragmas: Program['pragmas'],
  observations: readonly Observation[],
): Omit<Program, 'chunkMs'> {
  return {
    pragmas,
    reads: splitReads(observations),
    writes: splitWrites(observations),
    answer: answerOf(observations),
  };
}

const countOf = ({ each }: Observation) => each.length;
const sqlOf = (executed: readonly Executed[]) => executed.map(({ sql }) => sql);
const onlyReads = ({ executed }: Observation) => executed.filter(({ readonly }) => readonly);
const onlyWrites = ({ executed }: Observation) => executed.filter(({ readonly }) => !readonly);

/** Requests read side by side, so their statements are told apart by how often there are. */
function splitReads(observations: readonly Observation[]): Steps {
  const alike = observations.filter((each) => countOf(each) === countOf(first(observations)));
  const most = first(observations.toReversed());
  const factor = countOf(most) / countOf(first(alike));
  const frequency = (sql: string, observation: Observation) =>
    sqlOf(onlyReads(observation)).filter((other) => other === sql).length;
  const [before, each]: [number[], number[]] = [[], []];
  const reads = onlyReads(first(alike));
  for (const [i, { sql }] of reads.entries()) {
    const [few, many] = [frequency(sql, first(alike)), frequency(sql, most)];
    if (many === few * factor) each.push(i);
    else if (many === few) before.push(i);
    else throw new Error(`Several requests do this ${many} times, and one ${few} times: ${sql}`);
  }
  const unseen = sqlOf(onlyReads(most)).find((sql) => !sqlOf(reads).includes(sql));
  if (unseen !== undefined) throw new Error(`Only several requests do this: ${unseen}`);
  const stepsAt = (places: readonly number[], known: (observation: Observation) => Known) =>
    toSteps(
      alike.map((observation) => places.map((i) => onlyReads(observation)[i] as Executed)),
      alike.map(known),
    );
  return {
    before: stepsAt(before, ({ shared }) => shared),
    each: stepsAt(each, (observation) => first(observation.each)),
    after: [],
  };
}

/** Requests write one after another: finds the part that is there once for each. */
function splitWrites(observations: readonly Observation[]): Steps {
  const [few, many] = [first(observations), first(observations.toReversed())];
  const length =
    (onlyWrites(many).length - onlyWrites(few).length) / (countOf(many) - countOf(few));
  const shared = onlyWrites(few).length - countOf(few) * length;
  for (let from = 0; Number.isInteger(length) && from <= shared; from++) {
    const parts = observations.map((observation) => {
      const executed = onlyWrites(observation);
      const end = from + countOf(observation) * length;
      return {
        before: executed.slice(0, from),
        blocks: observation.each.map((_, i) =>
          executed.slice(from + i * length, from + (i + 1) * length),
        ),
        after: executed.slice(end),
      };
    });
    const befores = parts.map(({ before }) => before);
    const afters = parts.map(({ after }) => after);
    const blocks = parts.flatMap((part) => part.blocks);
    if (![befores, afters, blocks].every(areSame)) continue;
    const known = observations.map(({ shared }) => shared);
    const each = observations.flatMap((observation) => observation.each);
    return {
      before: toSteps(befores, known),
      each: toSteps(inOrderOf(blocks, each), each),
      after: toSteps(afters, known),
    };
  }
  throw new Error(
    `No part is there for each of ${countOf(many)}:\n${sqlOf(onlyWrites(many)).join('\n')}`,
  );
}

function areSame(times: readonly (readonly Executed[])[]): boolean {
  return new Set(times.map((executed) => JSON.stringify(sqlOf(executed)))).size <= 1;
}

/** Puts what was executed to what is known of the request that it was for: most of that is in it. */
function inOrderOf(blocks: readonly (readonly Executed[])[], known: readonly Known[]) {
  const texts = blocks.map((block) => JSON.stringify(block.map(({ parameters }) => parameters)));
  return known.map(({ texts: own }) => {
    const found = texts.map((text) => [...own.keys()].filter((one) => text.includes(one)).length);
    return blocks[found.indexOf(Math.max(...found))] ?? [];
  });
}

/** Makes one list of steps of several times the same. */
function toSteps(
  times: readonly (readonly Executed[])[],
  known: readonly Known[],
): readonly Step[] {
  return first(times).map(({ sql, method, parameters, rows, changes }, i) => ({
    ...{ sql, method, changes },
    found: rows.length > 0,
    values: parameters.map((_, n) => {
      const seen = times.map((time) => time[i]?.parameters[n] as Scalar);
      const constant = seen.every((value) => value === seen[0]);
      const values = times.map((time, t) =>
        originOf(seen[t] as Scalar, {
          ...{ known: known[t] as Known, constant },
          rows: time.slice(0, i).map((executed) => executed.rows),
        }),
      );
      if (values[0] === undefined || new Set(values.map((v) => JSON.stringify(v))).size > 1) {
        throw new Error(`Nothing tells what ${JSON.stringify(seen)} are in: ${sql}`);
      }
      return values[0];
    }),
  }));
}

/** Said by whatever serves, or by Node itself. */
const notOurs = new Set(['connection', 'content-length', 'date', 'keep-alive']);

function answerOf(observations: readonly Observation[]): Answer {
  const { headers, body, each } = first(observations);
  const { told, texts: own } = first(each);
  const texts = new Map([...own, ...told]);
  const value = (text: string) => partsOf(text, texts) ?? { constant: text };
  return {
    headers: Object.entries(headers)
      .filter(([name]) => !notOurs.has(name))
      .map(([name, text]) => ({ name, value: value(text) })),
    body: value(body),
  };
}

function first<T>(all: readonly T[]): T {
  const [one] = all;
  if (one === undefined) throw new Error('Nothing was observed');
  return one;
}
