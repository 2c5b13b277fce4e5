import { normalizedExecutor } from '@graphql-tools/executor';
import fc from 'fast-check';
import { buildSchema, getOperationAST, parse } from 'graphql';
import { expect, test } from 'vitest';
import { createPlans } from '../src/graphql/plan.ts';

/** A plan reads variables as the executor does, whatever it was given before. */

const schema = buildSchema(`
  enum Color { RED GREEN }
  input Inner { n: Int = 7, of: [Inner!], color: Color = RED }
  input Outer { id: ID!, text: String, inner: Inner, list: [Int] = [1, 2], lists: [[Float!]!] }
  input One @oneOf { a: Int, b: String }
  type Query { f(outer: Outer, ids: [ID!], color: Color, on: Boolean, one: One, n: Int): String }
`);

const document = parse(`query (
  $outer: Outer!, $ids: [ID!] = ["x", 3], $color: Color = GREEN, $on: Boolean, $one: One, $n: Int
) {
  f(outer: $outer, ids: $ids, color: $color, on: $on, one: $one, n: $n)
  with: f(outer: { id: "a", inner: { n: $n } }, n: $n, color: $color)
}`);

const operation = getOperationAST(document);
if (!operation) throw new Error('There is no operation');
const good = { outer: { id: 1 } };

/** Answers with the arguments that a field is given. */
const rootValue = { f: (args: object) => JSON.stringify(args) };
for (const field of Object.values(schema.getQueryType()?.getFields() ?? {})) {
  field.resolve = (_source, args) => rootValue.f(args);
}

const plan = createPlans(schema, document)(operation);
if (!plan) throw new Error('There is no plan');

async function bothWays(variableValues: Record<string, unknown>) {
  // Once it has been good, what is the same each time is known.
  await plan?.({}, good);
  const planned = JSON.stringify(await plan?.({}, variableValues));
  const executed = JSON.stringify(await normalizedExecutor({ schema, document, variableValues }));
  return { planned, executed };
}

test.each<[string, Record<string, unknown>]>([
  ['nothing', {}],
  ['only what must be', good],
  ['null for what must be', { outer: null }],
  ['null for a default', { ...good, ids: null, color: null, n: null }],
  ['what is not asked for', { ...good, other: 1, __proto__: 2 }],
  ['a field that there is not', { outer: { id: 1, colour: 1 } }],
  ['a field named as a member of objects', { outer: { id: 1, toString: 1, constructor: 1 } }],
  ['an own __proto__', JSON.parse('{ "outer": { "id": 1, "__proto__": { "text": "t" } } }')],
  ['a list for an object', { outer: [{ id: 1 }] }],
  ['a text for an object', { outer: 'a' }],
  ['one for a list', { ...good, ids: 'a' }],
  ['null within a list', { ...good, ids: ['a', null] }],
  ['lists of lists', { outer: { id: 'a', lists: [[1, 2.5], [], 3] } }],
  ['an object within an object', { outer: { id: 'a', inner: { of: [{ n: 1 }, { of: [] }] } } }],
  ['null for a field with a default', { outer: { id: 'a', list: null, inner: { n: null } } }],
  ['no such color', { ...good, color: 'BLUE' }],
  ['a number for a color', { ...good, color: 1 }],
  ['a fraction', { ...good, n: 1.5 }],
  ['what is too large', { ...good, n: 2 ** 31 }],
  ['a text for a boolean', { ...good, on: 'true' }],
  ['one of one', { ...good, one: { a: 1 } }],
  ['both of one', { ...good, one: { a: 1, b: 'b' } }],
  ['null of one', { ...good, one: { a: null } }],
  ['none of one', { ...good, one: {} }],
])('the same is read, or refused: %s', async (_what, variables) => {
  const { planned, executed } = await bothWays(variables);
  expect(planned).toBe(executed);
});

test('the same is read, or refused, of whatever JSON there is', async () => {
  const names = ['outer', 'ids', 'color', 'on', 'one', 'n', 'id', 'text', 'inner', 'list', 'lists'];
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom(null, true, 0, 1, -1.5, 'RED', 'GREEN', '', '7'),
      fc.array(tie('any'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom(...names, 'of', 'a', 'b'), tie('any'), { maxKeys: 4 }),
    ),
  })).any;
  const variables = fc.record(
    {
      outer: fc.oneof(
        value,
        fc.record(
          { id: fc.constantFrom('a', 1), text: value, inner: value, list: value, lists: value },
          { requiredKeys: ['id'] },
        ),
      ),
      ...{ ids: value, color: value, on: value, one: value, n: value },
    },
    { requiredKeys: [] },
  );
  await fc.assert(
    fc.asyncProperty(variables, async (given) => {
      const { planned, executed } = await bothWays(given);
      expect(planned).toBe(executed);
    }),
    { numRuns: 1_000 },
  );
});

test('executions share neither errors nor what they were asked with', async () => {
  const [first, second] = await Promise.all([
    plan({}, { outer: { id: 'first' } }),
    plan({}, { outer: { id: 'second' } }),
  ]);
  expect(JSON.stringify(first)).toContain('first');
  expect(JSON.stringify(second)).toContain('second');
  expect(JSON.stringify(await plan({}, {}))).toContain('was not provided');
  expect((await plan({}, good)).errors).toBeUndefined();
});
