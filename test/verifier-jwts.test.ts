import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import { caughtUp, follow, followThrough, mutate, reached, said, until } from './enforcement.ts';
import { forge, hmac } from './issuers.ts';
import { insert, organizationRow } from './kinds.ts';
import { introspected, type Served, serveGateway } from './oauth-clients.ts';

/** Access tokens of the gateway, whose signatures an enforcement point checks by itself. */

const KEYS = '/.well-known/jwks.json';
const nowS = () => Math.floor(Date.now() / 1000);

interface Signing {
  readonly header?: Record<string, unknown>;
  readonly claims?: JWTPayload;
  /** Claims that it lacks. */
  readonly without?: readonly string[];
  readonly key?: CryptoKey;
}

/** What the gateway would sign for a caller of acme, changed. No row knows it: only its signature speaks for it. */
async function claimsOf(h: Served, { claims = {}, without = [] }: Signing = {}) {
  const organization = await organizationRow(h, 'acme');
  const all: JWTPayload = {
    ...{ iss: h.url, aud: h.url, sub: 'somebody', client_id: 'somebody' },
    ...{ jti: crypto.randomUUID(), iat: nowS(), exp: nowS() + 300 },
    ...{ organization: 'acme', permissions: ['ledger:read'], scope: 'ledger:read' },
    chain: [organization.id],
    ...claims,
  };
  return Object.fromEntries(Object.entries(all).filter(([name]) => !without.includes(name)));
}

const signingKey = (h: Served) => h.running.gateway.signingKeys.current();

const headerOf = async (h: Served, header: Record<string, unknown> = {}) => ({
  ...{ alg: 'EdDSA', typ: 'at+jwt', kid: (await signingKey(h)).kid },
  ...header,
});

async function signed(h: Served, signing: Signing = {}): Promise<string> {
  const { header, key = (await signingKey(h)).privateKey } = signing;
  return await new SignJWT(await claimsOf(h, signing))
    .setProtectedHeader((await headerOf(h, header)) as { alg: string })
    .sign(key);
}

test('one that the gateway signed needs no asking, and says who it is', async () => {
  const h = await serveGateway();
  const { verifier, proxy } = await followThrough(reached(h));
  const asks = proxy.count('/oauth/introspect');
  const token = await signed(h);
  for (let i = 0; i < 3; i++) {
    expect(await verifier.verify(token)).toEqual({
      ...(await claimsOf(h)),
      ...{ ok: true, stale: false, kind: 'access-token', chain: undefined },
      ...{ jti: expect.any(String), iat: expect.any(Number), exp: expect.any(Number) },
    });
  }
  expect(proxy.count('/oauth/introspect') - asks).toBe(0);
  expect(verifier.status().cached).toBe(0);
});

const strangers = generateKeyPair('Ed25519', { extractable: true });
const publicBytes = async (h: Served) =>
  Buffer.from((await signingKey(h)).publicJwk.x ?? '', 'base64url');

const bad: Record<string, [string, (h: Served) => Promise<string>]> = {
  'without a signature (alg none)': [
    'invalid',
    async (h) =>
      forge(await headerOf(h, { alg: 'none' }), await claimsOf(h), () => Buffer.alloc(0)),
  ],
  'with HMAC over the bytes of the public key': [
    'invalid',
    async (h) =>
      forge(await headerOf(h, { alg: 'HS256' }), await claimsOf(h), hmac(await publicBytes(h))),
  ],
  'with HMAC over the public JWK': [
    'invalid',
    async (h) =>
      forge(
        await headerOf(h, { alg: 'HS256' }),
        await claimsOf(h),
        hmac(JSON.stringify((await signingKey(h)).publicJwk)),
      ),
  ],
  "signed with another key under the gateway's kid": [
    'invalid',
    async (h) => signed(h, { key: (await strangers).privateKey }),
  ],
  'that brings its own key along': [
    'invalid',
    async (h) => {
      const { privateKey, publicKey } = await strangers;
      return signed(h, { key: privateKey, header: { jwk: await exportJWK(publicKey) } });
    },
  ],
  'with a header that must be understood': [
    'invalid',
    async (h) => {
      const token = await signed(h);
      const header = await headerOf(h, { crit: ['made-up'], 'made-up': true });
      const [, payload, signature] = token.split('.');
      return `${Buffer.from(JSON.stringify(header)).toString('base64url')}.${payload}.${signature}`;
    },
  ],
  'whose claims were changed': [
    'invalid',
    async (h) => {
      const [header, , signature] = (await signed(h)).split('.');
      const claims = await claimsOf(h, { claims: { permissions: ['organization:admin'] } });
      return `${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.${signature}`;
    },
  ],
  'of another type': ['invalid', (h) => signed(h, { header: { typ: 'JWT' } })],
  'that is a signed introspection': [
    'invalid',
    (h) => signed(h, { header: { typ: 'token-introspection+jwt' } }),
  ],
  'without a type': ['invalid', (h) => signed(h, { header: { typ: undefined } })],
  'for another audience': ['invalid', (h) => signed(h, { claims: { aud: 'https://other.test' } })],
  'of another issuer': ['invalid', (h) => signed(h, { claims: { iss: 'https://other.test' } })],
  'that has expired': ['expired', (h) => signed(h, { claims: { exp: nowS() - 1 } })],
  'without an end': ['invalid', (h) => signed(h, { without: ['exp'] })],
  'that begins later': ['invalid', (h) => signed(h, { claims: { nbf: nowS() + 100 } })],
  'of another organization': [
    'invalid',
    async (h) => signed(h, { claims: { chain: [(await organizationRow(h, 'globex')).id] } }),
  ],
  // These are asked about, and no row knows them.
  'that does not say what it stands on': ['invalid', (h) => signed(h, { without: ['chain'] })],
  'that stands on nothing': ['invalid', (h) => signed(h, { claims: { chain: [] } })],
  'that stands on what is no list': ['invalid', (h) => signed(h, { claims: { chain: 'acme' } })],
  'that may be used only so often': [
    'invalid',
    (h) => signed(h, { claims: { uses_limited: true } }),
  ],
  'without an id': ['invalid', (h) => signed(h, { without: ['jti'] })],
  'whose kid nobody knows': ['invalid', (h) => signed(h, { header: { kid: 'unknown' } })],
  'without a kid': ['invalid', (h) => signed(h, { header: { kid: undefined } })],
  'whose kid is no text': ['invalid', (h) => signed(h, { header: { kid: ['a'] } })],
};

describe('a JWT', () => {
  test.each(Object.entries(bad))('%s is refused', async (_what, [reason, make]) => {
    const h = await serveGateway();
    const verifier = await follow(reached(h));
    expect(await said(verifier, await signed(h))).toBe('good');
    expect(await said(verifier, await make(h))).toBe(reason);
  });
});

test('a caller of another organization is refused, although the gateway has signed for it', async () => {
  const h = await serveGateway();
  const verifier = await follow(reached(h));
  expect(await said(verifier, h.demo.callers.outsider)).toBe('invalid');
  expect(await said(verifier, h.demo.callers.expired)).toBe('expired');
});

/** Gives the gateway another key, as one that signs; its kid. */
async function addKey(h: Served) {
  const { privateKey, publicKey } = await generateKeyPair('Ed25519');
  const kid = crypto.randomUUID();
  const jwk = { ...(await exportJWK(publicKey)), kid, alg: 'EdDSA', use: 'sig' };
  await insert(h, 'signing_keys', {
    ...{ kid, public_jwk: JSON.stringify(jwk), private_jwe: '' },
    ...{ created_at_ms: Date.now(), retired_at_ms: null },
  });
  return { privateKey, kid };
}

test('a key that is new at the gateway is read once it is met, and unknown ones not again and again', async () => {
  const h = await serveGateway();
  const { verifier, proxy } = await followThrough(reached(h));
  const { privateKey, kid } = await addKey(h);
  const reads = proxy.count(KEYS);
  // Time must pass since the last reading.
  await until(async () => {
    const token = await signed(h, { key: privateKey, header: { kid } });
    return (await said(verifier, token)) === 'good';
  });
  expect(proxy.count(KEYS) - reads).toBe(1);
  const unknown = await Promise.all(
    Array.from({ length: 50 }, (_, i) => signed(h, { header: { kid: `unknown-${i}` } })),
  );
  const verdicts = await Promise.all(unknown.map((token) => said(verifier, token)));
  expect(new Set(verdicts)).toEqual(new Set(['invalid']));
  expect(proxy.count(KEYS) - reads).toBe(1);
});

test('a key that the gateway has retired counts no more once the feed is taken up again', async () => {
  const h = await serveGateway();
  const { verifier, proxy } = await followThrough(reached(h));
  const real = h.demo.callers.viewer;
  const forged = await signed(h);
  expect([await said(verifier, real), await said(verifier, forged)]).toEqual(['good', 'good']);
  const { kid } = await signingKey(h);
  await h.running.gateway.writes.run(async (tx) => {
    await tx.updateTable('signing_keys').set({ retired_at_ms: 1 }).where('kid', '=', kid).execute();
  });
  const reads = proxy.count(KEYS);
  await proxy.cut();
  await proxy.restore();
  await until(() => proxy.count(KEYS) > reads && verifier.status().reconnects > 0);
  await until(async () => (await said(verifier, forged)) === 'invalid');
  // Of this one the gateway has a row, and says so.
  expect(await said(verifier, real)).toBe('good');
  expect(await introspected(h, real)).toMatchObject({ active: true });
});

test('what a token stands on ends it, although nobody has asked about it', async () => {
  const h = await serveGateway();
  const verifier = await follow(reached(h));
  const [first, second] = h.demo.jwtAuth;
  await mutate(reached(h), 'revokeIdentity', { identityId: first?.identityId });
  await caughtUp(verifier, h);
  expect(await said(verifier, first?.accessToken ?? '')).toBe('revoked');
  expect(await said(verifier, second?.accessToken ?? '')).toBe('good');
  // One that begins now learns it from the snapshot.
  const later = await follow(reached(h));
  expect(await said(later, first?.accessToken ?? '')).toBe('revoked');
  expect(await said(later, second?.accessToken ?? '')).toBe('good');
});
