import { describe, expect, test } from 'vitest';
import { REVOKE_MANY_FIELDS_MAX } from '../src/graphql/revoke-many-rule.ts';
import { graphqlWays } from './graphql-ways.ts';
import { type Harness, openGateway } from './harness.ts';

/** What an operation can have of `revokeMany`: aliases and fragments multiply neither work nor answer. */

const once = 'An operation can have revokeMany once.';
const fewer = `An operation can select ${REVOKE_MANY_FIELDS_MAX} fields under revokeMany at the most, those of fragments counted.`;

const many = (name: string, selected = '__typename') =>
  `${name}: revokeMany(input: { kind: API_KEY, ids: ["x"] }) { ${selected} }`;
const aliases = (count: number, of = 'id') =>
  Array.from({ length: count }, (_, i) => `a${i}: ${of}`).join(' ');
const results = (selected: string) => `... on RevokeManySuccess { results { ${selected} } }`;
/** A document whose operation selects so many fields under `revokeMany`; `results` is one of them. */
const wide = (count: number) => `mutation { ${many('a', results(aliases(count - 1)))} }`;
/** Fragments that each spread the next one twice. */
const doubling = (depth: number, last: string) =>
  Array.from({ length: depth }, (_, i) =>
    i === depth - 1
      ? `fragment F${i} on RevokeManyItem { ${last} }`
      : `fragment F${i} on RevokeManyItem { ...F${i + 1} ...F${i + 1} }`,
  ).join(' ');

async function ask(h: Harness, query: string, operationName?: string) {
  const { statusCode, body } = await h.app.inject({
    ...{ method: 'POST', url: '/graphql' },
    headers: {
      authorization: `Bearer ${h.demo.callers.admin}`,
      'content-type': 'application/json',
    },
    payload: JSON.stringify({ query, operationName }),
  });
  const { errors = [] } = JSON.parse(body) as { errors?: { message: string }[] };
  return { status: statusCode, messages: errors.map(({ message }) => message) };
}

describe.each(graphqlWays)('through $way', ({ shortPath }) => {
  test.each([
    ['by aliases', `mutation { ${many('a')} ${many('b')} }`, once],
    ['under one name', `mutation { ${many('a')} ${many('a')} }`, once],
    ['by an inline fragment', `mutation { ${many('a')} ... on Mutation { ${many('b')} } }`, once],
    [
      'where one is left out',
      `mutation { ${many('a')} ... @skip(if: true) { ${many('b')} } }`,
      once,
    ],
    [
      'by fragments in fragments',
      `mutation { ...A ...B } fragment A on Mutation { ...C } fragment B on Mutation { ... { ...D } }
       fragment C on Mutation { ${many('c')} } fragment D on Mutation { ${many('d')} }`,
      once,
    ],
    [
      '40 times',
      `mutation { ${Array.from({ length: 40 }, (_, i) => many(`a${i}`)).join(' ')} }`,
      once,
    ],
    ['with many aliases', wide(REVOKE_MANY_FIELDS_MAX + 1), fewer],
    [
      'with aliases of what has aliases',
      `mutation { ${many('a', results(aliases(8, 'revocation { id kind target }')))} }`,
      fewer,
    ],
    [
      'with inline fragments',
      `mutation { ${many('a', results(`... { ${aliases(20)} } ... on RevokeManyItem { ${aliases(20)} }`))} }`,
      fewer,
    ],
    [
      'with named fragments in named fragments',
      `mutation { ...A } fragment A on Mutation { ${many('a', '...B')} }
       fragment B on RevokeManySuccess { x: results { ...C } y: results { ...C } }
       fragment C on RevokeManyItem { ${aliases(15)} }`,
      fewer,
    ],
    [
      'with fragments that double',
      `mutation { ${many('a', results('...F0'))} } ${doubling(15, 'id')}`,
      fewer,
    ],
    [
      'in one of several operations',
      `mutation A { ${many('a')} } mutation B { ${many('a')} ${many('b')} }`,
      once,
    ],
  ])('%s it is refused, and nothing is attempted', async (_how, query, message) => {
    const h = await openGateway({ shortPath });
    expect(await ask(h, query, query.includes('mutation A') ? 'A' : undefined)).toEqual({
      status: 400,
      messages: [message],
    });
    expect(await h.ledger()).toEqual([]);
  });

  test.each([
    ['as many fields as it can have', wide(REVOKE_MANY_FIELDS_MAX)],
    ['another mutation', `mutation { ${many('a')} __typename ${aliases(40, '__typename')} }`],
    ['a fragment', `mutation { ...A } fragment A on Mutation { ${many('a')} }`],
    [
      'an operation beside it that has one too',
      `mutation A { ...F } mutation B { ...F } fragment F on Mutation { ${many('a')} }`,
    ],
  ])('with %s it is carried out', async (_how, query) => {
    const h = await openGateway({ shortPath });
    const name = query.includes('mutation A') ? 'A' : undefined;
    expect(await ask(h, query, name)).toEqual({ status: 200, messages: [] });
    expect(await h.ledger()).toHaveLength(1);
  });

  test.each([
    [
      'around it',
      `mutation { ...A } fragment A on Mutation { ${many('a')} ...B } fragment B on Mutation { ...A }`,
    ],
    [
      'under it',
      `mutation { ${many('a', results('...A'))} } fragment A on RevokeManyItem { id ...B }
       fragment B on RevokeManyItem { ...A ...B }`,
    ],
  ])('fragments %s that spread themselves are refused at once', async (_where, query) => {
    const h = await openGateway({ shortPath });
    const { messages } = await ask(h, query);
    expect(messages[0]).toContain('Cannot spread fragment');
    expect(await h.ledger()).toEqual([]);
  });
});
