import { Kind, parse, validate } from 'graphql';
import { expect, test } from 'vitest';
import { credentials } from '../src/credentials/kinds.ts';
import { graphiqlOptions } from '../src/graphql/examples.ts';
import { buildSchema } from '../src/graphql/schema.ts';
import { openGateway } from './harness.ts';
import { withSixth } from './kinds.ts';

/** What GraphiQL is opened with; that it opens, test/browser/ shows. */

const namesIn = (document: string) =>
  parse(document).definitions.map((definition) =>
    definition.kind === Kind.OPERATION_DEFINITION ? definition.name?.value : definition.kind,
  );

test('without demo data it shows every mutation that revokes, to be filled in, and no token', () => {
  const { query, headers, shouldPersistHeaders } = graphiqlOptions(withSixth);
  expect(validate(buildSchema(withSixth), parse(query))).toEqual([]);
  expect(namesIn(query)).toEqual([
    'WhoAmI',
    ...withSixth.map(({ graph: { mutation } }) => mutation[0]?.toUpperCase() + mutation.slice(1)),
    'WhatWasRevoked',
    'WhatIsRevoked',
  ]);
  expect(query).toContain('keyId: "<keyId>"');
  expect(JSON.parse(headers)).toEqual({ Authorization: 'Bearer <token>' });
  expect(shouldPersistHeaders).toBe(false);
});

test('with examples it shows what they can be tried on, and their token', () => {
  const inputs = { revokeToken: { tokenId: 'a "quoted" id' } };
  const { query, headers } = graphiqlOptions(credentials, { token: 'the-token', inputs });
  expect(validate(buildSchema(credentials), parse(query))).toEqual([]);
  expect(namesIn(query)).toEqual(['WhoAmI', 'RevokeToken', 'WhatWasRevoked', 'WhatIsRevoked']);
  expect(query).toContain('tokenId: "a \\"quoted\\" id"');
  expect(JSON.parse(headers)).toEqual({ Authorization: 'Bearer the-token' });
});

test('a browser gets the page, and a program gets GraphQL', async () => {
  const h = await openGateway();
  const get = (accept: string) =>
    h.rest('GET', '/graphql?query={__typename}', undefined, { headers: { accept } });
  const page = await get('text/html,application/xhtml+xml,*/*;q=0.8');
  expect([page.status, page.headers['content-type']]).toEqual([200, 'text/html']);
  expect(page.body).toContain('<title>Revocation gateway</title>');
  const { query } = graphiqlOptions(h.running.gateway.credentials);
  expect(page.body).toContain(JSON.stringify(query));
  const answer = await get('application/json');
  expect([answer.status, answer.body]).toEqual([200, '{"data":{"__typename":"Query"}}']);
});
