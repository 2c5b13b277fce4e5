import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { hashSecret, newSecret } from '../src/secrets.ts';
import { graphqlWays } from './graphql-ways.ts';
import { type Harness, openGateway } from './harness.ts';
import { add, organizationRow } from './kinds.ts';

/** Who learns what: callers of each other, operators of attempts, the world of the schema. */

async function callerWith(h: Harness, permissions: string[]): Promise<string> {
  const secret = newSecret('personal-access-token');
  await add(h, await organizationRow(h, 'acme'), 'personal-access-token', {
    name: 'limited',
    secret_hash: hashSecret(secret),
    permissions: JSON.stringify(permissions),
  });
  return secret;
}

test('a revocation shows the thing itself only to those who may see it', async () => {
  const h = await openGateway();
  const query = '{ me { revocations { edges { node { target revocable { id } } } } } }';
  const { identityId } = h.demo.jwtAuth[0] ?? {};
  const revoker = await callerWith(h, ['jwt-auth:revoke']);
  const { data } = await h.graphql<{ r: object }>(
    `mutation ($identityId: ID!) { r: revokeJwtAuth(input: { identityId: $identityId }) {
      ... on RevocationSuccess { revocation { target revocable { id } } } } }`,
    { identityId },
    revoker,
  );
  expect(data.r).toEqual({ revocation: { target: identityId, revocable: null } });

  const reader = await callerWith(h, ['ledger:read']);
  const both = await callerWith(h, ['ledger:read', 'identity:read']);
  const seen = async (token: string) => JSON.stringify((await h.graphql(query, {}, token)).data);
  expect(await seen(reader)).toContain('"revocable":null');
  expect(await seen(both)).toContain('"revocable":{"id"');
});

test('the log says why a caller was refused, and never with what', async () => {
  const log: string[] = [];
  const h = await openGateway({
    config: { logLevel: 'info' },
    logTo: { write: (line) => log.push(line) },
  });
  const ask = async (path: string, token?: string) => {
    log.length = 0;
    await h.rest('DELETE', path, token);
    return log.map((line) => JSON.parse(line) as object).find((line) => 'route' in line);
  };
  const path = '/service-accounts/x/tokens/y';
  expect(await ask(path)).toMatchObject({ refusal: 'UNAUTHENTICATED', reason: 'missing' });
  expect(await ask(path, h.demo.callers.expired)).toMatchObject({ reason: 'expired' });
  expect(await ask(path, h.demo.callers.admin)).toMatchObject({ refusal: 'NOT_FOUND' });
  log.length = 0;
  await h.graphql('{ me { name } }', {}, 'rgw_pat_guess');
  expect(log.join()).toContain('"reason":"unknown"');
  expect(log.join()).not.toContain('guess');
  log.length = 0;
  const undecodable = await h.rest('DELETE', '/service-accounts/%zz/tokens/y', 'rgw_pat_guess');
  expect(log.join()).toContain(String(undecodable.headers['x-request-id']));
});

test.each([
  ['a line of its own', 'a\nb'],
  ['a colour', 'a\u001b[31mb'],
  ['a direction', 'a\u202eb'],
  ['a secret', newSecret('personal-access-token')],
  ['nothing', '   '],
])('a token may not be called %s', async (_what, name) => {
  const h = await openGateway();
  const { data } = await h.graphql<{ r: object }>(
    `mutation ($name: String!) {
      r: createPersonalAccessToken(input: { name: $name, permissions: ["ledger:read"] }) {
        ... on InvalidInputError { issues { path } } } }`,
    { name },
    h.demo.callers.admin,
  );
  expect(data.r).toEqual({ issues: [{ path: 'name' }] });
});

test('callers of one name are told apart by the credential that they used', async () => {
  const h = await openGateway();
  const twin = await callerWith(h, ['organization:admin']);
  await h.graphql(
    'mutation { createPersonalAccessToken(input: { name: "x", permissions: ["ledger:read"] }) { __typename } }',
    {},
    twin,
  );
  const { data } = await h.graphql<{ me: { ledger: { edges: { node: object }[] } } }>(
    '{ me { ledger { edges { node { actor actorId } } } } }',
    {},
    h.demo.callers.admin,
  );
  const row = (await h.rows()).find(({ name }) => name === 'limited');
  expect(data.me.ledger.edges).toEqual([{ node: { actor: 'limited', actorId: row?.id } }]);
});

test.each(graphqlWays)(
  'in production there is neither GraphiQL nor introspection, through $way',
  async ({ shortPath }) => {
    const h = await openGateway({ config: { profile: 'production' }, shortPath });
    const html = { headers: { accept: 'text/html' } };
    expect((await h.rest('GET', '/graphql', undefined, html)).body).not.toContain('<html');
    for (const query of ['{ __schema { types { name } } }', '{ __type(name: "Me") { name } }']) {
      const { errors, data } = await h.graphql(query, {}, h.demo.callers.admin);
      expect(errors?.[0]?.message).toContain('introspection');
      expect(data).toBeUndefined();
    }
    expect((await h.graphql('{ me { name } }', {}, h.demo.callers.admin)).data).toEqual({
      me: { name: 'admin' },
    });
  },
);

describe.each(graphqlWays)('through $way', (options) => {
  test.each([
    ['deep lists', `{ me(x: ${'['.repeat(100_000)}${']'.repeat(100_000)}) { name } }`],
    ['deep selections', `${'{ a '.repeat(50_000)}${'}'.repeat(50_000)}`],
    [
      'many aliases',
      `{ ${Array.from({ length: 4_000 }, (_, i) => `a${i}: __schema { types { name } }`).join(' ')} }`,
    ],
  ])('a document with %s is refused, and is no fault', async (_what, query) => {
    const h = await openGateway(options);
    const { status, errors, data } = await h.graphql(query);
    expect(data).toBeUndefined();
    expect(errors?.[0]?.message).toMatch(/too deeply|tokens/);
    expect(status).toBeLessThan(500);
  });
});

test('bytes that nobody announced do not take the answer of the request before them', async () => {
  const h = await openGateway();
  await h.app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = h.app.server.address() as AddressInfo;
  const { applicationId, keyId } = h.demo.apiKey[0] ?? {};
  const answer = await new Promise<string>((done) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk) => {
      text += chunk;
    });
    socket.on('close', () => done(text));
    socket.write(
      `DELETE /api/v1/applications/${applicationId}/api-keys/${keyId} HTTP/1.1\r\nHost: a\r\n` +
        `Authorization: Bearer ${h.demo.callers.admin}\r\nConnection: close\r\n\r\n{"a":1}`,
    );
  });
  expect(answer).toContain('HTTP/1.1 200 OK');
  expect(answer.endsWith('\r\n\r\n{}')).toBe(true);
});
