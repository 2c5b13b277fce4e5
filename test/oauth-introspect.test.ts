import { describe, expect, test } from 'vitest';
import type { Revocable } from '../db/tables.ts';
import { permissions } from '../src/permissions.ts';
import { change, tokenWith } from './callers.ts';
import { makeKey, sign, trusting } from './issuers.ts';
import { organizationRow } from './kinds.ts';
import { listen } from './loopback.ts';
import {
  assignedJwt,
  basic,
  bearer,
  clientWith,
  introspected,
  post,
  type Served,
  serveGateway,
  serveTrusting,
  tokenOf,
  values,
} from './oauth-clients.ts';
import { stored } from './stored.ts';

/** `POST /oauth/introspect`: what is said of a value, to whom, and that asking changes nothing. */

const seconds = (ms: number | null) => (ms === null ? undefined : Math.floor(ms / 1000));

async function rowOf(h: Served, where: Partial<Revocable>): Promise<Revocable> {
  const row = (await h.rows()).find((each) =>
    Object.entries(where).every(([name, value]) => each[name as keyof Revocable] === value),
  );
  if (row === undefined) throw new Error('There is no such row');
  return row;
}

const times = ({ issued_at_ms, expires_at_ms }: Revocable) =>
  expires_at_ms === null
    ? { iat: seconds(issued_at_ms) }
    : { iat: seconds(issued_at_ms), exp: seconds(expires_at_ms) };

describe('of a value that is good it says exactly', () => {
  const acme = { active: true, organization: 'acme' };

  test('of an access token of an identity: who it is for, and until when', async () => {
    const h = await serveGateway();
    const { tokenId = '', token = '' } = h.demo.accessToken[0] ?? {};
    const identity = await rowOf(h, { kind: 'identity', name: 'runner-001' });
    const { id: sub } = identity;
    expect(await introspected(h, token)).toEqual({
      ...{ ...acme, credential_kind: 'access-token', token_type: 'Bearer' },
      ...{ username: 'runner-001', sub, client_id: sub, aud: h.url, iss: h.url, jti: tokenId },
      ...times(await h.row(tokenId)),
    });
  });

  test('of the token of a client: which client, and what it may do', async () => {
    const h = await serveGateway();
    const { clientId } = h.demo.oauthClient;
    const token = await tokenOf(h, h.demo.oauthClient, 'token:revoke api-key:revoke');
    const row = await rowOf(h, { parent_id: clientId });
    expect(await introspected(h, token)).toEqual({
      ...{ ...acme, credential_kind: 'access-token', token_type: 'Bearer' },
      ...{ scope: 'token:revoke api-key:revoke', username: 'demo client' },
      ...{ sub: clientId, client_id: clientId, aud: h.url, iss: h.url, jti: row.id },
      ...times(row),
    });
  });

  test('of an API key: its application, and that it is no bearer token', async () => {
    const h = await serveGateway();
    const { applicationId: sub, keyId = '', key = '' } = h.demo.apiKey[0] ?? {};
    expect(await introspected(h, key)).toEqual({
      ...{ ...acme, credential_kind: 'api-key', username: 'key-001' },
      ...{ sub, client_id: sub, iss: h.url, jti: keyId, ...times(await h.row(keyId)) },
    });
    const [end, ownerEnd] = [Date.now() + 90_500, Date.now() + 60_500];
    await change(h, keyId, { expires_at_ms: end });
    expect((await introspected(h, key)).exp).toBe(seconds(end));
    await change(h, sub ?? '', { expires_at_ms: ownerEnd });
    expect((await introspected(h, key)).exp).toBe(seconds(ownerEnd));
  });

  test('of a service account token: its account and scopes', async () => {
    const h = await serveGateway();
    const { token = '', tokenSlug = '' } = h.demo.serviceAccountToken[0] ?? {};
    const row = await rowOf(h, { kind: 'service-account-token', slug: tokenSlug });
    const { parent_id: sub } = row;
    expect(await introspected(h, token)).toEqual({
      ...{ ...acme, credential_kind: 'service-account-token', token_type: 'Bearer' },
      ...{ scope: 'read:tokens', username: 'token-001', sub, client_id: sub },
      ...{ iss: h.url, jti: row.id, ...times(row) },
    });
  });

  test('of a personal access token: that it is its organization itself', async () => {
    const h = await serveGateway();
    const row = await rowOf(h, { kind: 'personal-access-token' });
    const { id: sub } = await organizationRow(h, 'acme');
    expect(await introspected(h, h.demo.callers.personalAccessToken)).toEqual({
      ...{ ...acme, credential_kind: 'personal-access-token', token_type: 'Bearer' },
      ...{ scope: 'organization:admin', username: 'demo', sub, client_id: sub },
      ...{ iss: h.url, jti: row.id, ...times(row) },
    });
  });

  test('of a client secret: the client itself', async () => {
    const h = await serveGateway();
    const { clientId, clientSecret } = h.demo.limitedOauthClient;
    expect(await introspected(h, clientSecret)).toEqual({
      ...{ ...acme, credential_kind: 'oauth-client', username: 'limited client' },
      ...{ scope: 'credential:introspect', sub: clientId, client_id: clientId },
      ...{ iss: h.url, jti: clientId, ...times(await h.row(clientId)) },
    });
  });

  test('of a JWT of a trusted issuer: its claims, as far as they are sound', async () => {
    const h = await serveTrusting();
    const { trusted } = h;
    const claims = { jti: 'j', client_id: 'c', iat: 1_700_000_000, nbf: 1_700_000_001.5 };
    const exp = Math.floor(Date.now() / 1000) + 60;
    expect(await introspected(h, await trusted({ ...claims, exp }))).toEqual({
      ...{ ...acme, credential_kind: 'trusted-token', token_type: 'Bearer', ...claims, exp },
      ...{ scope: 'ledger:read', username: 'ada (https://issuer.example)', sub: 'ada' },
      ...{ iss: 'https://issuer.example', aud: 'revocation-gateway', nbf: 1_700_000_001 },
    });
    const odd = { client_id: 5, jti: ['x'], permissions: ['a"b', 'c d', 5, 'ledger:read'] };
    expect(await introspected(h, await trusted({ ...odd, iat: undefined, exp }))).toEqual({
      ...{ ...acme, credential_kind: 'trusted-token', token_type: 'Bearer', exp },
      ...{ scope: 'ledger:read', username: 'ada (https://issuer.example)', sub: 'ada' },
      ...{ iss: 'https://issuer.example', aud: 'revocation-gateway' },
    });
  });

  test('of a JWT of an assigned JWK: its claims, and that it is no bearer token', async () => {
    const h = await serveGateway();
    const claims = { aud: ['a', 'b'], iss: 'somebody', jti: 'j' };
    const exp = Math.floor(Date.now() / 1000) + 60;
    const { token, kid } = await assignedJwt(h, { ...claims, iat: exp - 60, exp });
    expect(await introspected(h, token)).toEqual({
      ...{ ...acme, credential_kind: 'jwk-validation', username: kid, sub: kid },
      // Whoever holds a JWK of a project can write any issuer: the project is told in its place.
      ...{ aud: ['a', 'b'], jti: 'j', iat: exp - 60, exp, project: kid },
    });
  });
});

test('of everything else it says that it is not active, and nothing more', async () => {
  const h = await serveTrusting();
  const { callers, accessToken } = h.demo;
  await change(h, accessToken[0]?.tokenId ?? '', { revoked_at_ms: 1 });
  const others = [
    ...['x', 'rgw_key_x', 'a.b.c', 'a b', '\0', callers.expired, accessToken[0]?.token ?? ''],
    ...[callers.outsider, await h.trusted({ organization: 'globex' }), await h.trusted({ exp: 1 })],
    ...[await h.trusted({ aud: 'x' }), `${callers.admin}x`, `x ${callers.admin}`],
  ];
  for (const token of others) {
    const { text } = await post(h, 'introspect', { token }, basic(h.demo.oauthClient));
    expect([token, text]).toEqual([token, '{"active":false}']);
  }
});

test('each organization sees its own alone, of every kind', async () => {
  const h = await serveTrusting();
  const globex = await clientWith(h, ['organization:admin'], { slug: 'globex' });
  for (const [kind, make] of Object.entries(values)) {
    const token = await make(h);
    const { text } = await post(h, 'introspect', { token }, basic(globex));
    expect([kind, text]).toEqual([kind, '{"active":false}']);
    expect([kind, (await introspected(h, token)).active]).toEqual([kind, true]);
  }
  const token = h.demo.callers.outsider;
  expect((await post(h, 'introspect', { token }, basic(globex))).body.active).toBe(true);
  expect(await h.ledger()).toHaveLength(1);
});

test('asking needs the permission, and changes nothing', async () => {
  const h = await serveTrusting();
  const without = permissions.filter(
    (each) => !['credential:introspect', 'organization:admin'].includes(each),
  );
  const before = await stored(h);
  const lacking = await clientWith(h, without);
  // Whether there is such a token, or any token at all, is not looked at.
  for (const form of [{ token: h.demo.callers.admin }, { token: 'x' }, {}]) {
    const answer = await post(h, 'introspect', form as Record<string, string>, basic(lacking));
    expect([answer.status, answer.body]).toEqual([
      400,
      {
        error: 'unauthorized_client',
        error_description: 'You lack the permission credential:introspect.',
      },
    ]);
    expect(answer.headers.get('www-authenticate')).toBeNull();
  }
  const denied = await post(h, 'introspect', { token: 'x' }, bearer(await tokenWith(h, without)));
  expect([denied.status, denied.body.error]).toEqual([403, 'insufficient_scope']);
  expect(denied.headers.get('www-authenticate')).toBe(
    'Bearer realm="revocation gateway", error="insufficient_scope", scope="credential:introspect"',
  );
  const allowed = bearer(await tokenWith(h, ['credential:introspect']));
  for (const make of Object.values(values)) {
    const token = await make(h);
    expect((await post(h, 'introspect', { token }, allowed)).body.active).toBe(true);
    const limited = basic(h.demo.limitedOauthClient);
    expect((await post(h, 'introspect', { token }, limited)).body.active).toBe(true);
  }
  const after = await stored(h);
  expect(after.access_tokens).toEqual(before.access_tokens);
  expect(after.cut_offs).toEqual([]);
});

describe('while the keys of an issuer cannot be read', () => {
  test.each(['introspect', 'revoke'])(
    '/oauth/%s says so, and not that it is done',
    async (endpoint) => {
      const key = await makeKey();
      const server = await listen((response) => response.writeHead(500).end());
      const { trustedIssuers, outboundAllow } = trusting({ jwksUrl: server.url });
      const h = await serveGateway({ config: { trustedIssuers, outboundAllow } });
      const form = { token: await sign(key) };
      const { status, headers, body } = await post(h, endpoint, form, basic(h.demo.oauthClient));
      expect([status, body.error]).toEqual([503, 'temporarily_unavailable']);
      expect(headers.get('retry-after')).toBe('1');
      expect(headers.get('content-type')).toBe('application/json');
      expect(await h.ledger()).toEqual([]);
    },
  );
});
