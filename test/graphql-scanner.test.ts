import type { InjectOptions } from 'fastify';
import { describe, expect, test } from 'vitest';
import {
  GRAPHQL_ALIASES_MAX,
  GRAPHQL_DEPTH_MAX,
  GRAPHQL_DIRECTIVES_MAX,
  GRAPHQL_FIELDS_MAX,
} from '../src/graphql/size.ts';
import { graphqlWays } from './graphql-ways.ts';
import { openGateway } from './harness.ts';

/** What scanners of GraphQL look for, as they ask for it: in production they find nothing. */

const times = (count: number, text: (n: number) => string) =>
  Array.from({ length: count }, (_, n) => text(n)).join(' ');

const post = (payload: unknown, more: Record<string, string> = {}): InjectOptions => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', ...more },
  payload: JSON.stringify(payload),
});
const get = (query: string): InjectOptions => ({
  method: 'GET',
  url: `/graphql?${new URLSearchParams({ query })}`,
});
const form = (query: string): InjectOptions => ({
  method: 'POST',
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
  payload: new URLSearchParams({ query }).toString(),
});

interface Said {
  readonly data?: Record<string, unknown> | null;
  readonly errors?: { message: string; extensions?: Record<string, unknown> }[];
  readonly extensions?: Record<string, unknown>;
}
type Found = (said: Said | readonly Said[], text: string) => unknown;
const one = (said: Said | readonly Said[]): Said => said as Said;

const introspection = `query cop { __schema { types { name fields { type { name fields { type { name
  fields { type { name fields { type { name } } } } } } } } } } }`;

const checks: [name: string, asked: InjectOptions, found: Found][] = [
  [
    'alias overloading',
    post({ query: `query cop { ${times(101, (n) => `alias${n}:__typename`)} }` }),
    (said) => one(said).data?.alias100,
  ],
  [
    'batching by arrays',
    post(Array.from({ length: 10 }, () => ({ query: 'query cop { __typename }' }))),
    (said) => Array.isArray(said) && said.length >= 10,
  ],
  [
    'directive overloading',
    post({ query: `query cop { __typename ${'@aa'.repeat(10)} }` }),
    (said) => one(said).errors?.length === 10,
  ],
  [
    'circular introspection',
    post({ query: introspection }),
    (said) => (one(said).data?.__schema as { types?: unknown })?.types,
  ],
  [
    'introspection',
    post({ query: 'query cop { __schema { types { name fields { name } } } }' }),
    (said) => one(said).data?.__schema,
  ],
  ['queries by GET', get('query cop { __typename }'), (said) => one(said).data?.__typename],
  ['mutations by GET', get('mutation cop { __typename }'), (said) => one(said).data?.__typename],
  ['urlencoded queries', form('query cop { __typename }'), (said) => one(said).data?.__typename],
  [
    'urlencoded mutations',
    form('mutation cop { __typename }'),
    (said) => one(said).data?.__typename,
  ],
  [
    'field suggestions',
    post({ query: 'query cop { __schema { directive } }' }),
    (_said, text) => text.includes('Did you mean'),
  ],
  [
    'field suggestions of the schema itself',
    post({ query: 'query cop { mee { actr } me { actr } }' }),
    (_said, text) => text.includes('Did you mean'),
  ],
  [
    'suggestions of variables',
    post({
      query: 'mutation ($input: RevokeApiKeyInput!) { revokeApiKey(input: $input) { __typename } }',
      variables: { input: { applicationid: 'x', keyid: 'y', reasons: 'KEY' } },
    }),
    (_said, text) => text.includes('Did you mean'),
  ],
  [
    'traces',
    post({ query: 'query cop { __typename }' }, { 'apollo-tracing': '1' }),
    (said) => one(said).extensions?.tracing,
  ],
  [
    'GraphiQL',
    { method: 'GET', url: '/graphql', headers: { accept: 'text/html' } },
    (_said, text) => /graphiql|graphql playground/i.test(text),
  ],
  [
    'field duplication',
    post({ query: `query cop { ${'__typename '.repeat(500)} }` }),
    (said) => one(said).data?.__typename,
  ],
  [
    'unhandled errors',
    post({ query: 'qwerty cop { abc' }),
    (said, text) => one(said).errors?.[0]?.extensions?.exception ?? text.includes('    at '),
  ],
];

describe.each(graphqlWays)('in production, through $way', ({ shortPath }) => {
  test('a scanner finds nothing, and is told so', async () => {
    const h = await openGateway({ config: { profile: 'production' }, shortPath });
    for (const [name, asked, found] of checks) {
      const response = await h.app.inject({ url: '/graphql', ...asked });
      const text = response.body;
      const said = JSON.parse(text) as Said;
      expect.soft(Boolean(found(said, text)), `${name}: ${text.slice(0, 300)}`).toBe(false);
      expect.soft(response.statusCode, name).toBeLessThan(500);
    }
  });
});

describe.each(graphqlWays)('in both profiles, through $way', ({ shortPath }) => {
  const flood = (count: number, n: (i: number) => string) => `{ ${times(count, n)} }`;
  const bomb = `query { ...f9 } fragment f0 on Query { __typename } ${times(
    9,
    (n) => `fragment f${n + 1} on Query { ...f${n} ...f${n} ...f${n} }`,
  )}`;

  const pages = (head: string, size: string) =>
    `query ${head} { me { projects(first: ${size}) { edges { node { credentials(last: ${size}) {
      edges { node { jwkValidations(first: ${size}) { edges { node { id } } } } } } } } } } }`;

  test.each<[string, string, RegExp]>([
    ['aliases', flood(GRAPHQL_ALIASES_MAX + 1, (n) => `a${n}: __typename`), /50 aliases/],
    [
      'directives',
      flood(1, () => `__typename ${'@include(if: true) '.repeat(GRAPHQL_DIRECTIVES_MAX + 1)}`),
      /20 directives/,
    ],
    ['fields', flood(GRAPHQL_FIELDS_MAX + 1, () => '__typename'), /250 fields/],
    ['fields by fragments', bomb, /250 fields/],
    [
      'levels',
      `${'{ ... '.repeat(GRAPHQL_DEPTH_MAX)} { __typename } ${'}'.repeat(GRAPHQL_DEPTH_MAX)}`,
      /15 deep/,
    ],
    ['items on pages', pages('', '100'), /cost 200,000/],
    ['items on pages whose size is a variable', pages('($n: Int)', '$n'), /cost 200,000/],
  ])('too many %s are refused with 400', async (_what, query, message) => {
    for (const profile of ['development', 'production'] as const) {
      const h = await openGateway({ config: { profile }, shortPath });
      const { status, errors } = await h.graphql(query, {}, h.demo.callers.admin);
      expect([status, errors?.length, errors?.[0]?.extensions?.code]).toEqual([
        400,
        1,
        'BAD_REQUEST',
      ]);
      expect(errors?.[0]?.message).toMatch(message);
    }
  });
});
