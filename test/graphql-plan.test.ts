import { setTimeout } from 'node:timers/promises';
import { normalizedExecutor } from '@graphql-tools/executor';
import {
  buildSchema,
  type DocumentNode,
  type ExecutionResult,
  type GraphQLError,
  type GraphQLFieldResolver,
  type GraphQLSchema,
  getIntrospectionQuery,
  getOperationAST,
  parse,
  print,
} from 'graphql';
import { expect, test } from 'vitest';
import { credentials } from '../src/credentials/kinds.ts';
import { createPlans } from '../src/graphql/plan.ts';
import { buildSchema as buildOurs } from '../src/graphql/schema.ts';
import { type OddDocument, oddDocument } from './odd-documents.ts';
import { type Odd, oddSchema } from './odd-graph.ts';

/** Plans execute what they can as the executor does: the same results, errors and calls. */

function planOf(schema: GraphQLSchema, document: DocumentNode, operationName?: string) {
  const operation = getOperationAST(document, operationName);
  return operation ? createPlans(schema, document)(operation) : undefined;
}

async function observe(seed: number, execute: (odd: Odd) => unknown) {
  const odd: Odd = { seed, calls: [] };
  const result = (await execute(odd)) as ExecutionResult;
  // At once: where something has failed, the rest may still go on.
  const text = JSON.stringify(result);
  return { text, errors: result.errors?.map(shown), calls: [...odd.calls] };
}

function shown(error: GraphQLError) {
  const { message, path, locations, extensions, originalError, nodes } = error;
  const { name, message: text, cause } = originalError ?? {};
  const original = [originalError?.constructor.name, name, text, cause];
  const kind = error.constructor.name;
  return { kind, message, path, locations, extensions, original, nodes: nodes?.map(print) };
}

async function bothWays(seed: number, { text, document, variables }: OddDocument) {
  const plan = planOf(oddSchema, document);
  if (!plan) throw new Error(`There is no plan of ${text}`);
  const args = { schema: oddSchema, document, variableValues: variables };
  const executed = await observe(seed, (odd) => normalizedExecutor({ ...args, contextValue: odd }));
  const planned = await observe(seed, (odd) => plan(odd, variables));
  const again = await observe(seed, (odd) => plan(odd, variables));
  return { executed, planned, again };
}

const SEEDS = 2_500;

test('the same comes of documents and resolvers of every kind', { timeout: 120_000 }, async () => {
  const counts = { whole: 0, partly: 0, nothing: 0 };
  const messages = new Set<string>();
  for (let seed = 0; seed < SEEDS; seed++) {
    const document = oddDocument(seed);
    if (document === undefined) continue;
    const { executed, planned, again } = await bothWays(seed, document);
    const name = `seed ${seed}: ${document.text}`;
    expect(planned, name).toEqual(executed);
    expect(again, name).toEqual(executed);
    const { data } = JSON.parse(executed.text);
    counts[data == null ? 'nothing' : executed.errors ? 'partly' : 'whole'] += 1;
    for (const { message } of executed.errors ?? []) messages.add(message);
  }
  // Were it all one or the other, little would be said.
  expect(Math.min(...Object.values(counts)), JSON.stringify(counts)).toBeGreaterThan(SEEDS / 20);
  for (const words of [
    ...['must not be null', 'has invalid value', 'got invalid value', 'Expected Iterable'],
    ...['Cannot return null', 'to return non-nullable', 'is not told', 'Expected value of type'],
    ...[
      'must resolve to an Object type',
      'received "1"',
      'does not exist inside',
      'non-object type',
    ],
    ...['not a possible type', 'was removed in', 'like an error', 'a text', 'one', 'elsewhere'],
  ]) {
    expect(
      [...messages].some((message) => message.includes(words)),
      words,
    ).toBe(true);
  }
});

/** A schema of one field whose resolver is given. */
function schemaOf(type: string, resolve: GraphQLFieldResolver<unknown, unknown>) {
  const schema = buildSchema(
    `input In { list: [Int!] } type T { t: T! n: Int! f: Int need(a: Int!): Int } type Query { f(in: In, n: Int = 1): ${type} }`,
  );
  Object.assign(schema.getQueryType()?.getFields().f ?? {}, { resolve });
  return schema;
}

test.each<[string, string, string, () => unknown]>([
  ['is critical', '[Int]', '{ f }', () => [1, new GraphQLCritical()]],
  ['is critical later', 'Int', '{ a: f b: f }', async () => new GraphQLCritical()],
  ['fails in the middle of promises', '[Int!]', '{ f }', () => [late(1), 2, new Error('three')]],
  ['follows and fails', '[Int!]', '{ f }', () => following()],
  ['is missing', 'T', '{ f { need } }', () => ({})],
  ['has no value', 'T', 'query ($a: Int) { f { need(a: $a) } }', () => ({})],
  ['is several errors', 'Int!', '{ f }', () => new GraphQLSeveral()],
  ['is null far below', 'T', '{ f { t { t { n } } } }', () => ({ t: { t: { n: null } } })],
])('what %s comes to the same', async (_what, type, text, resolve) => {
  const schema = schemaOf(type, resolve);
  const document = parse(text);
  const planned = await planOf(schema, document)?.({}, {});
  expect(JSON.parse(JSON.stringify(planned))).toEqual(
    JSON.parse(JSON.stringify(await normalizedExecutor({ schema, document }))),
  );
  expect(planned?.errors?.length).toBeGreaterThan(0);
});

class GraphQLCritical extends Error {
  readonly extensions = { CRITICAL_ERROR: true };
}

class GraphQLSeveral extends Error {
  readonly path = ['f'];
  readonly errors = [new Error('one'), new Error('two')];
}

const late = async (value: unknown) => value;

async function* following() {
  yield 1;
  throw new Error('no more');
}

async function* slowly(first: unknown) {
  yield first;
  await setTimeout(10);
  yield { n: null };
}

test.each<[string, (first: unknown) => unknown]>([
  ['a list', (first) => [first, { n: null }]],
  ['what comes slowly', slowly],
])('promises that %s leaves behind where it fails end nothing', async (_what, resolve) => {
  const unheard: unknown[] = [];
  const hear = (error: unknown) => unheard.push(error);
  process.on('unhandledRejection', hear);
  const failing = async () => {
    throw new Error('late');
  };
  const schema = schemaOf('[T!]', () => resolve({ n: failing }));
  const result = await planOf(schema, parse('{ f { n } }'))?.({}, {});
  await setTimeout(20);
  process.off('unhandledRejection', hear);
  expect(result?.data).toEqual({ f: null });
  expect(unheard).toEqual([]);
});

test.each([true, false])('names are suggested alike, if at all: %s', async (hideSuggestions) => {
  const schema = schemaOf('Int', () => 1);
  const document = parse('query ($in: In) { f(in: $in) }');
  const variableValues = { in: { lisst: [] } };
  const operation = getOperationAST(document);
  const plan = operation && createPlans(schema, document, { hideSuggestions })(operation);
  const planned = JSON.stringify(await plan?.({}, variableValues));
  const args = { schema, document, variableValues, hideSuggestions };
  expect(planned).toBe(JSON.stringify(await normalizedExecutor(args)));
  expect(planned.includes('Did you mean')).toBe(!hideSuggestions);
});

test('the schema is told alike', async () => {
  const schema = buildOurs(credentials);
  const document = parse(getIntrospectionQuery());
  const planned = JSON.stringify(await planOf(schema, document)?.({}, {}));
  expect(planned).toBe(JSON.stringify(await normalizedExecutor({ schema, document })));
});

test.each([
  ['skips', '{ f @skip(if: true) }'],
  ['includes in a fragment', '{ ...F } fragment F on Query { f ... @include(if: true) { f } }'],
  ['uses __proto__ for a name', '{ __proto__: f }'],
  ['uses then for a name', '{ then: f }'],
  ['has no such type', 'mutation { f }'],
  ['subscribes', 'subscription { f }'],
])('there is no plan of what %s', (_what, text) => {
  expect(
    planOf(
      schemaOf('Int', () => 1),
      parse(text),
    ),
  ).toBeUndefined();
});

test('each operation has a plan, which is made once', async () => {
  const document = parse('query A { a: f { n } } query B { b: f { n } }');
  const plans = createPlans(
    schemaOf('T', () => ({ n: 1 })),
    document,
  );
  for (const name of ['A', 'B']) {
    const operation = getOperationAST(document, name);
    const plan = operation && plans(operation);
    const data = { [name.toLowerCase()]: { n: 1 } };
    for (let i = 0; i < 20; i++) expect(await plan?.({}, {})).toEqual({ data });
    expect(operation && plans(operation)).toBe(plan);
  }
});

test('what a document says itself is read once, and cannot be changed', async () => {
  const seen: unknown[] = [];
  const schema = schemaOf('Int', (_source, args) => {
    seen.push(args);
    return Object.isFrozen(args) && Object.isFrozen(args.in.list) ? 1 : 0;
  });
  const plan = planOf(schema, parse('{ f(in: { list: [1] }) }'));
  expect([await plan?.({}, {}), await plan?.({}, {})]).toEqual([
    { data: { f: 1 } },
    { data: { f: 1 } },
  ]);
  expect(seen).toEqual([{ in: { list: [1] }, n: 1 }, seen[0]]);
  expect(seen[0]).toBe(seen[1]);
});

test('what has variables is read each time', async () => {
  const schema = schemaOf('String', (_source, args) => JSON.stringify(args));
  const plan = planOf(schema, parse('query ($a: Int) { f(in: { list: [$a] }, n: 2) }'));
  for (const a of [1, 2]) {
    const f = JSON.stringify({ in: { list: [a] }, n: 2 });
    expect(await plan?.({}, { a })).toEqual({ data: { f } });
  }
});

test('a document has no plan any more that its fields outgrow', async () => {
  const schema = schemaOf('T', () => deep);
  const deep: object = { f: 1, t: () => deep };
  const levels = Array.from(
    { length: 12 },
    (_, i) =>
      `fragment F${i} on T { ${i === 0 ? 'f' : `a: t { ...F${i - 1} } b: t { ...F${i - 1} }`} }`,
  );
  const document = parse(`{ f { ...F11 } } ${levels.join(' ')}`);
  const operation = getOperationAST(document);
  if (!operation) throw new Error('There is no operation');
  const plans = createPlans(schema, document);
  const planned = await plans(operation)?.({}, {});
  const executed = await normalizedExecutor({ schema, document });
  expect(JSON.stringify(planned)).toBe(JSON.stringify(executed));
  expect(JSON.stringify(planned).length).toBeGreaterThan(10_000);
  expect(plans(operation)).toBeUndefined();
});
