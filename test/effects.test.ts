import { expect, test } from 'vitest';
import { hashSecret } from '../src/secrets.ts';
import { chainOf, standing } from '../src/standing.ts';
import { signAccessToken } from '../src/tokens.ts';
import { type Harness, openGateway } from './harness.ts';
import { add } from './kinds.ts';

/** What each revocation stops, and what it leaves alone. */

const me = async (h: Harness, token: string) =>
  (await h.graphql<{ me: { name: string } | null }>('{ me { name } }', {}, token)).data.me;

const isGood = async (h: Harness, secret: string) =>
  standing(
    await chainOf(h.running.database.reader, 'secret_hash', hashSecret(secret)),
    Date.now(),
  ) === undefined;

async function issue(h: Harness, authId: string): Promise<string> {
  const auth = await h.row(authId);
  const id = h.running.gateway.newId();
  const issuedAtMs = Date.now();
  const token = await signAccessToken(h.running.gateway, {
    id,
    subject: 'somebody',
    organization: 'acme',
    permissions: [],
    chain: [],
    issuedAtMs,
    expiresAtMs: issuedAtMs + 60_000,
  });
  await add(h, auth, 'access-token', { id, secret_hash: hashSecret(token) });
  return token;
}

const revokeJwtAuth = (h: Harness, identityId: string) =>
  h.rest('DELETE', `/api/v1/auth/jwt-auth/identities/${identityId}`, h.demo.callers.admin);

test('removing JWT Auth stops every token issued through it and no other of the identity', async () => {
  const h = await openGateway();
  const { identityId = '', accessToken = '' } = h.demo.jwtAuth[0] ?? {};
  const identity = await h.row(identityId);
  const jwtAuth = (await h.rows()).find(
    (row) => row.kind === 'jwt-auth' && row.parent_id === identityId,
  );
  const second = await issue(h, jwtAuth?.id ?? '');
  const tokenAuth = await add(h, identity, 'token-auth');
  const other = await issue(h, tokenAuth.id);
  expect([await me(h, accessToken), await me(h, second), await me(h, other)]).not.toContain(null);

  expect((await revokeJwtAuth(h, identityId)).status).toBe(200);

  expect(await me(h, accessToken)).toBeNull();
  expect(await me(h, second)).toBeNull();
  expect(await me(h, other)).not.toBeNull();
  expect(await me(h, h.demo.jwtAuth[1]?.accessToken ?? '')).not.toBeNull();
});

test('attaching JWT Auth again revives no token, and can be revoked again', async () => {
  const h = await openGateway();
  const { identityId = '', accessToken = '' } = h.demo.jwtAuth[0] ?? {};
  await revokeJwtAuth(h, identityId);

  const again = await add(h, await h.row(identityId), 'jwt-auth');
  await h.running.gateway.writes.run(async (tx) => {
    const copy = async (table: 'auth_methods' | 'jwt_auths') => {
      const row = await tx.selectFrom(table).selectAll().limit(1).executeTakeFirstOrThrow();
      await tx
        .insertInto(table)
        .values({ ...row, id: again.id } as never)
        .execute();
    };
    await copy('auth_methods');
    await copy('jwt_auths');
  });
  const fresh = await issue(h, again.id);
  expect(await me(h, accessToken)).toBeNull();
  expect(await me(h, fresh)).not.toBeNull();

  const reply = await revokeJwtAuth(h, identityId);
  expect(JSON.parse(reply.body)).toMatchObject({ identityJwtAuth: { id: again.id, identityId } });
  expect(await me(h, fresh)).toBeNull();
});

test('revoking one access token leaves the others of its identity', async () => {
  const h = await openGateway();
  const { tokenId = '', token = '' } = h.demo.accessToken[0] ?? {};
  const sibling = await issue(h, (await h.row(tokenId)).parent_id ?? '');
  const path = `/api/v1/auth/token-auth/tokens/${tokenId}/revoke`;
  expect((await h.rest('POST', path, h.demo.callers.admin)).status).toBe(200);
  expect(await me(h, token)).toBeNull();
  expect(await me(h, sibling)).not.toBeNull();
});

test('a token that was issued through JWT Auth can be revoked alone, by its jti', async () => {
  const h = await openGateway();
  const { accessToken = '' } = h.demo.jwtAuth[0] ?? {};
  const [, payload = ''] = accessToken.split('.');
  const { jti } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { jti: string };
  const path = `/api/v1/auth/token-auth/tokens/${jti}/revoke`;
  expect((await h.rest('POST', path, h.demo.callers.admin)).status).toBe(200);
  expect(await me(h, accessToken)).toBeNull();
});

test('revoking an API key leaves the other keys of the application', async () => {
  const h = await openGateway();
  const { applicationId = '', keyId = '', key = '' } = h.demo.apiKey[0] ?? {};
  const secret = 'rgw_key_sibling';
  await add(h, await h.row(applicationId), 'api-key', { secret_hash: hashSecret(secret) });
  const path = `/api/v1/applications/${applicationId}/api-keys/${keyId}`;
  expect((await h.rest('DELETE', path, h.demo.callers.admin)).body).toBe('{}');
  expect(await isGood(h, key)).toBe(false);
  expect(await isGood(h, secret)).toBe(true);
});

test('a key is found under its own application only', async () => {
  const h = await openGateway();
  const [first, second] = h.demo.apiKey;
  const path = `/api/v1/applications/${second?.applicationId}/api-keys/${first?.keyId}`;
  expect((await h.rest('DELETE', path, h.demo.callers.admin)).status).toBe(404);
  expect(await isGood(h, first?.key ?? '')).toBe(true);
});

test('revoking an application, however its id is spelled, stops every key of it', async () => {
  const h = await openGateway();
  const [first, second] = h.demo.apiKey;
  const { data } = await h.graphql<{ r: object }>(
    `mutation ($applicationId: ID!) {
      r: revokeApplication(input: { applicationId: $applicationId }) { __typename }
    }`,
    { applicationId: first?.applicationId.toUpperCase() },
    h.demo.callers.admin,
  );
  expect(data.r).toEqual({ __typename: 'RevokeApplicationSuccess' });
  expect(await isGood(h, first?.key ?? '')).toBe(false);
  expect(await isGood(h, second?.key ?? '')).toBe(true);
});

test('the same slugs in two organizations are two tokens', async () => {
  const h = await openGateway();
  const {
    serviceAccountSlug = '',
    tokenSlug = '',
    token = '',
  } = h.demo.serviceAccountToken[0] ?? {};
  const globex = (await h.rows()).find(({ slug }) => slug === 'globex');
  if (globex === undefined) throw new Error('no globex');
  const account = await add(h, globex, 'service-account', { slug: serviceAccountSlug });
  const twin = await add(h, account, 'service-account-token', { slug: tokenSlug });

  const path = `/service-accounts/${serviceAccountSlug}/tokens/${tokenSlug}`;
  expect((await h.rest('DELETE', path, h.demo.callers.outsider)).status).toBe(204);
  expect((await h.row(twin.id)).revoked_by).toBe('outsider');
  expect(await isGood(h, token)).toBe(true);

  expect((await h.rest('DELETE', path, h.demo.callers.admin)).status).toBe(204);
  expect(await isGood(h, token)).toBe(false);
});

test('unassigning a JWK leaves the JWK, the one for encryption, and the credential', async () => {
  const h = await openGateway();
  const { projectName, username, jwkName } = h.demo.jwkValidation[0] ?? {};
  const path = `/apiops/projects/${projectName}/credentials/${username}/jwk/validation/`;
  expect((await h.rest('DELETE', path, h.demo.callers.admin)).status).toBe(200);

  const project = (await h.rows()).find(({ slug }) => slug === projectName);
  const below = (await h.rows()).filter(
    (row) => row.slug === username || row.slug === jwkName || row.name === jwkName,
  );
  expect(project?.revoked_at_ms).toBeNull();
  expect(below.map((row) => `${row.kind} ${row.revoked_at_ms === null}`).toSorted()).toEqual([
    'gateway-credential true',
    'jwk true',
    'jwk-encryption true',
    'jwk-validation false',
  ]);
});

test('what is revoked keeps when, who and why', async () => {
  const h = await openGateway();
  const { tokenId = '' } = h.demo.accessToken[0] ?? {};
  const { data } = await h.graphql<{ revokeToken: { revocation: { revokedAt: string } } }>(
    `mutation ($tokenId: ID!) {
      revokeToken(input: { tokenId: $tokenId, reason: KEY_COMPROMISE, comment: "seen in a log" }) {
        ... on RevocationSuccess { revocation { revokedAt reason comment actor } }
      }
    }`,
    { tokenId },
    h.demo.callers.personalAccessToken,
  );
  const row = await h.row(tokenId);
  expect(row).toMatchObject({ revoked_by: 'demo', reason: 'KEY_COMPROMISE' });
  expect(data.revokeToken.revocation).toEqual({
    revokedAt: new Date(row.revoked_at_ms ?? 0).toISOString(),
    reason: 'KEY_COMPROMISE',
    comment: 'seen in a log',
    actor: 'demo',
  });
});
