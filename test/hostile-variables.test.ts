import { describe, expect, test } from 'vitest';
import { GRAPHQL_MEMBERS_MAX, GRAPHQL_TOLD_CHARS_MAX } from '../src/graphql/variables.ts';
import { graphqlWays } from './graphql-ways.ts';
import { openGateway } from './harness.ts';

/** Whoever is not known is not answered at length, and what is answered took no time. */

const mutation = 'mutation ($input: RevokeManyInput!) { revokeMany(input: $input) { __typename } }';
const text = 'x'.repeat(900_000);
const members = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${n}`, 1]));

const hostile: [what: string, input: string, said: RegExp][] = [
  ['very many members', JSON.stringify(members(60_000)), /at the most/],
  [
    'unknown members',
    JSON.stringify(members(GRAPHQL_MEMBERS_MAX)),
    /got an invalid value: Expected value of type/,
  ],
  [
    'an unknown member that is long',
    `{ "${text}": 1 }`,
    /^Variable "\$input" got an invalid value/,
  ],
  ['a text in place of an object', `"${text}"`, /^Variable "\$input" got an invalid value: /],
  [
    'an object in place of a text',
    JSON.stringify({ kind: 'API_KEY', ids: [members(5_000)] }),
    /at the most/,
  ],
  [
    'an item that is none behind many',
    JSON.stringify({ kind: 'API_KEY', ids: [...Array(9_000).fill('a'), {}] }),
    / at ids at 9000: /,
  ],
  ['depth', `{ "ids": ${'['.repeat(50_000)}${']'.repeat(50_000)} }`, /got an invalid value/],
];

describe.each(graphqlWays)('$way', ({ shortPath }) => {
  test.each(hostile)('%s: is told what is wrong first, and briefly', async (_what, input, said) => {
    const h = await openGateway({ shortPath, config: { profile: 'production' } });
    const { status, body } = await h.rest('POST', '/graphql', undefined, {
      headers: { 'content-type': 'application/json' },
      payload: `{ "query": ${JSON.stringify(mutation)}, "variables": { "input": ${input} } }`,
    });
    expect(status).toBe(400);
    expect(body.length).toBeLessThan(600);
    expect(JSON.parse(body).errors).toHaveLength(1);
    expect(JSON.parse(body).errors[0].message).toMatch(said);
  });

  test('what a short request has wrong is told in full', async () => {
    const h = await openGateway({ shortPath });
    const { errors } = await h.graphql(mutation, { input: members(5) }, h.demo.callers.admin);
    expect(errors?.length).toBeGreaterThan(4);
  });

  test('a long request that is good is carried out', async () => {
    const h = await openGateway({ shortPath });
    const [key] = h.demo.apiKey;
    const query = `mutation ($input: RevokeApiKeyInput!) { revokeApiKey(input: $input) { __typename } }`;
    const input = { applicationId: key?.applicationId, keyId: key?.keyId };
    const more = { unused: 'x'.repeat(GRAPHQL_TOLD_CHARS_MAX) };
    const { data } = await h.graphql(query, { input, ...more }, h.demo.callers.admin);
    expect(data).toEqual({ revokeApiKey: { __typename: 'RevokeApiKeySuccess' } });
  });
});

test.each([
  ['fields', Array.from({ length: 5 }, (_, n) => `query q${n} { ${'__typename '.repeat(201)} }`)],
  ['operations and fragments', Array.from({ length: 51 }, (_, n) => `query q${n} { __typename }`)],
])('a document with too many %s is not looked into', async (what, operations) => {
  const h = await openGateway({ config: { profile: 'production' } });
  const { body } = await h.rest('POST', '/graphql', undefined, {
    headers: { 'content-type': 'application/json' },
    payload: JSON.stringify({ query: operations.join(' '), operationName: 'q0' }),
  });
  const { errors } = JSON.parse(body) as { errors: { message: string }[] };
  expect(errors.map(({ message }) => message)).toEqual([
    expect.stringMatching(new RegExp(`^A document can have [\\d,]+ ${what} at the most\\.$`)),
  ]);
});

test('in production a query that is asked for as a stream does not come by GET either', async () => {
  const ask = async (profile: 'production' | 'development') => {
    const h = await openGateway({ config: { profile } });
    const query = new URLSearchParams({ query: '{ me { organization } }' });
    return await h.rest('GET', `/graphql?${query}`, h.demo.callers.admin, {
      headers: { accept: 'text/event-stream' },
    });
  };
  expect((await ask('development')).body).toContain('acme');
  const { status, headers, body } = await ask('production');
  expect([status, headers.allow, body.includes('acme')]).toEqual([405, 'POST', false]);
});
