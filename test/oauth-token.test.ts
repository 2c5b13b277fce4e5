import { decodeJwt, decodeProtectedHeader } from 'jose';
import * as oauth from 'oauth4webapi';
import { describe, expect, test } from 'vitest';
import { oauthClient } from '../src/credentials/oauth-client/kind.ts';
import { revoke } from '../src/credentials/revoke.ts';
import { perform } from '../src/operation.ts';
import { actorOf, change, whoIs } from './callers.ts';
import {
  basic,
  bearer,
  clientWith,
  discover,
  insecure,
  introspected,
  post,
  type Served,
  serveGateway,
  tokenOf,
} from './oauth-clients.ts';

/** `POST /oauth/token`: what a client gets, and what it does not. */

const credentials = { grant_type: 'client_credentials' };

test('the answer, the JWT, the row and the ledger agree', async () => {
  const h = await serveGateway();
  const client = await clientWith(h, ['api-key:revoke', 'ledger:read']);
  const { clientId } = client;
  const { body } = await post(h, 'token', credentials, basic(client));
  const { access_token: jwt, ...rest } = body;
  const scope = 'api-key:revoke ledger:read';
  expect(rest).toEqual({ token_type: 'Bearer', expires_in: 3600, scope });
  const [entry] = await h.ledger();
  const id = entry?.target_id ?? '';
  const issuedS = Math.floor((entry?.at_ms ?? 0) / 1000);
  const { kid } = await h.running.gateway.signingKeys.current();
  expect(decodeProtectedHeader(String(jwt))).toEqual({ alg: 'EdDSA', typ: 'at+jwt', kid });
  const { iat = 0, ...claims } = decodeJwt(String(jwt));
  expect(issuedS - iat).toBeLessThanOrEqual(1);
  expect(claims).toEqual({
    ...{ iss: h.url, aud: h.url, sub: clientId, client_id: clientId, jti: id, exp: iat + 3600 },
    ...{ scope, organization: 'acme', permissions: ['api-key:revoke', 'ledger:read'] },
    chain: [clientId, entry?.organization_id],
  });
  expect(entry).toMatchObject({
    ...{ action: 'create', kind: 'access-token', outcome: 'done', surface: 'oauth', target: id },
    ...{ actor: 'a client', actor_id: clientId, reason: null, comment: null },
  });
  expect(await h.row(id)).toMatchObject({
    ...{ kind: 'access-token', parent_id: clientId, name: null, created_by: 'a client' },
    permissions: '["api-key:revoke","ledger:read"]',
  });
  expect(await whoIs(h, String(jwt))).toEqual({
    ...{ name: 'a client', organization: 'acme' },
    permissions: ['api-key:revoke', 'ledger:read'],
  });
});

test('a resource server checks the token by itself, as RFC 9068 says', async () => {
  const h = await serveGateway();
  const as = await discover(h);
  const present = (token: string) => new Request(h.url, { headers: bearer(token) });
  const token = await tokenOf(h, h.demo.oauthClient);
  const claims = await oauth.validateJwtAccessToken(as, present(token), h.url, insecure);
  expect(claims).toMatchObject({ sub: h.demo.oauthClient.clientId });
  const elsewhere = oauth.validateJwtAccessToken(as, present(token), 'https://b.example', insecure);
  await expect(elsewhere).rejects.toThrow('aud');
  const { clientId, clientSecret } = h.demo.oauthClient;
  const response = await oauth.introspectionRequest(
    as,
    { client_id: clientId },
    oauth.ClientSecretBasic(clientSecret),
    token,
    { ...insecure, requestJwtResponse: true },
  );
  const signed = await response.text();
  const mistaken = oauth.validateJwtAccessToken(as, present(signed), h.url, insecure);
  await expect(mistaken).rejects.toThrow('typ');
  expect(await whoIs(h, signed)).toBeNull();
});

describe('scope', () => {
  const own = ['api-key:revoke', 'project:read@alpha', 'credential:introspect'];

  test.each<[string, readonly string[], string | undefined, string]>([
    ['is all that the client may do, unless said', own, undefined, own.join(' ')],
    ['is all of it where it is empty', own, '', own.join(' ')],
    ['can be one permission', own, 'api-key:revoke', 'api-key:revoke'],
    ['can be one of a project', own, 'project:read@alpha', 'project:read@alpha'],
    ['can be a project of one for all', ['project:read'], 'project:read@b', 'project:read@b'],
    ['is what was asked for, once', own, ' api-key:revoke  api-key:revoke ', 'api-key:revoke'],
    ['can be less than everything', ['organization:admin'], 'token:revoke', 'token:revoke'],
  ])('%s', async (_what, permissions, scope, granted) => {
    const h = await serveGateway();
    const client = await clientWith(h, permissions);
    const token = await tokenOf(h, client, scope);
    expect(decodeJwt(token).scope).toBe(granted);
    expect((await whoIs(h, token))?.permissions).toEqual(granted.split(' '));
  });

  test.each<[string, readonly string[], string]>([
    ['another permission', own, 'token:revoke'],
    ['one more permission', own, 'api-key:revoke token:revoke'],
    ['another project', own, 'project:read@beta'],
    ['all projects', own, 'project:read'],
    ['everything', own, 'organization:admin'],
    ['everything in a project', own, 'organization:admin@alpha'],
    ['no permission at all', ['organization:admin'], 'openid'],
    ['a permission of no project', ['organization:admin'], 'project:read@'],
    ['a scope of Kaiten', ['organization:admin'], 'write:tokens'],
    ['nothing but blanks', own, '  '],
  ])('is no way to %s', async (_what, permissions, scope) => {
    const h = await serveGateway();
    const client = await clientWith(h, permissions);
    const { status, body } = await post(h, 'token', { ...credentials, scope }, basic(client));
    expect([status, body.error]).toEqual([400, 'invalid_scope']);
    expect(await h.ledger()).toEqual([]);
  });

  test('says nothing of a permission that would pass for two', async () => {
    const h = await serveGateway();
    const odd = 'project:read@x organization:admin';
    const client = await clientWith(h, ['api-key:revoke', odd]);
    const { body } = await post(h, 'token', credentials, basic(client));
    expect(body.scope).toBe('api-key:revoke');
    const token = String(body.access_token);
    expect(decodeJwt(token)).toMatchObject({
      scope: 'api-key:revoke',
      permissions: ['api-key:revoke', odd],
    });
    expect((await introspected(h, token)).scope).toBe('api-key:revoke');
  });
});

test.each<[object, string]>([
  [{}, 'invalid_request'],
  [{ grant_type: '' }, 'invalid_request'],
  [{ grant_type: 'authorization_code', code: 'x' }, 'unsupported_grant_type'],
  [{ grant_type: 'password', username: 'x', password: 'y' }, 'unsupported_grant_type'],
  [{ grant_type: 'CLIENT_CREDENTIALS' }, 'unsupported_grant_type'],
])('%j is answered with %s', async (form, error) => {
  const h = await serveGateway();
  const answer = await post(h, 'token', form as Record<string, string>, basic(h.demo.oauthClient));
  expect([answer.status, answer.body.error]).toEqual([400, error]);
  expect(await h.ledger()).toEqual([]);
});

test('what nobody asked for is ignored', async () => {
  const h = await serveGateway();
  const form = { ...credentials, resource: 'https://api.example', audience: 'x' };
  const { status, body } = await post(h, 'token', form, basic(h.demo.oauthClient));
  expect([status, body.scope]).toEqual([200, 'organization:admin']);
});

/** Lets something happen between the moment when a client is known and the one when it gets a token. */
function meanwhile(h: Served, act: () => Promise<unknown>): void {
  const { gateway } = h.running;
  const { run } = gateway.writes;
  Object.assign(gateway.writes, {
    run: async (job: never) => {
      Object.assign(gateway.writes, { run });
      await act();
      return await run(job);
    },
  });
}

test('a client that is revoked while it asks gets nothing', async () => {
  const h = await serveGateway();
  const client = await clientWith(h, ['api-key:revoke']);
  const call = { actor: await actorOf(h, h.demo.callers.admin), surface: 'rest' } as const;
  meanwhile(h, () =>
    perform(
      h.running.gateway,
      revoke(oauthClient),
      { clientId: client.clientId },
      { ...call, requestId: 'x' },
    ),
  );
  const { status, body } = await post(h, 'token', credentials, basic(client));
  expect([status, body.error]).toEqual([401, 'invalid_client']);
  const rows = await h.rows();
  expect(rows.filter(({ parent_id }) => parent_id === client.clientId)).toEqual([]);
});

test('so does one whose organization is revoked while it asks', async () => {
  const h = await serveGateway();
  const client = await clientWith(h, ['api-key:revoke'], { slug: 'globex' });
  const { organization_id } = await h.row(client.clientId);
  meanwhile(h, () => change(h, organization_id, { revoked_at_ms: 1 }));
  const { status, body } = await post(h, 'token', credentials, basic(client));
  expect([status, body.error]).toEqual([401, 'invalid_client']);
});

test('a token ends with its client', async () => {
  const h = await serveGateway();
  const client = await clientWith(h, ['ledger:read']);
  const token = await tokenOf(h, client);
  expect(await whoIs(h, token)).not.toBeNull();
  await post(h, 'revoke', { token: client.clientSecret }, basic(client));
  expect(await whoIs(h, token)).toBeNull();
  expect(await introspected(h, token)).toEqual({ active: false });
});
