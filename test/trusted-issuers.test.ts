import { exportSPKI } from 'jose';
import { describe, expect, test } from 'vitest';
import { signatureAlgorithms } from '../src/config.ts';
import { Unauthenticated } from '../src/refusals.ts';
import { actorOf, change, revokeKey, standingOf, whoIs } from './callers.ts';
import type { Harness } from './harness.ts';
import {
  AUDIENCE,
  claims,
  ecdsa,
  forge,
  hmac,
  ISSUER,
  type Key,
  makeKey,
  openTrusting,
  ownKey,
  sign,
} from './issuers.ts';
import { listen } from './loopback.ts';

/** JWTs of an issuer outside, whose keys stand in the settings: which are accepted, and which not. */

describe('a JWT of a trusted issuer', () => {
  test.each(signatureAlgorithms)('is accepted when signed with %s', async (alg) => {
    const key = await makeKey('key-1', alg);
    const h = await openTrusting({ keys: [key.jwk] });
    expect(await standingOf(h, await sign(key))).toBe('good');
  });

  test('is mapped: its names of claims and of permissions become ours', async () => {
    const key = await makeKey();
    const h = await openTrusting({
      keys: [key.jwk],
      claims: { organization: 'tenant', permissions: 'scope', subject: 'email' },
      permissions: { revoker: ['api-key:revoke', 'token:revoke'], nobody: [] },
    });
    const token = await sign(key, {
      ...{ organization: 'globex', permissions: ['organization:admin'] },
      ...{ tenant: 'acme', scope: 'revoker nobody identity:read', email: 'ada@example.com' },
    });
    expect(await whoIs(h, token)).toEqual({
      name: `ada@example.com (${ISSUER})`,
      organization: 'acme',
      // It said identity:read too, which is none of its own names.
      permissions: ['api-key:revoke', 'token:revoke'],
    });

    const { applicationId, keyId } = h.demo.apiKey[0] ?? {};
    const path = `/api/v1/applications/${applicationId}/api-keys/${keyId}`;
    expect((await h.rest('DELETE', path, token)).status).toBe(200);
    const [entry] = await h.ledger();
    expect(entry).toMatchObject({ actor: `ada@example.com (${ISSUER})`, actor_id: null });

    const { identityId } = h.demo.jwtAuth[0] ?? {};
    const denied = await h.rest('DELETE', `/api/v1/auth/jwt-auth/identities/${identityId}`, token);
    expect(denied.status).toBe(403);
  });

  test.each([
    ['is missing', undefined, []],
    ['is a number', 7, []],
    ['is an object', { 'organization:admin': true }, []],
    ['holds no texts', [7, null, ['organization:admin']], []],
    ['names what every object has', 'constructor toString', []],
    ['names what is ours and not in its mapping', 'organization:admin write:tokens', []],
  ])('may do nothing when its claim of permissions %s', async (_what, given, permissions) => {
    const key = await makeKey();
    const h = await openTrusting({
      keys: [key.jwk],
      permissions: { admin: ['organization:admin'] },
    });
    const token = await sign(key, { permissions: given });
    expect(await whoIs(h, token)).toMatchObject({ permissions });
    const path = `/api/v1/auth/token-auth/tokens/${h.demo.accessToken[0]?.tokenId}/revoke`;
    expect((await h.rest('POST', path, token)).status).toBe(403);
  });

  test('is checked with the key that its kid names, of several', async () => {
    const [first, second] = [await makeKey('first'), await makeKey('second')];
    const h = await openTrusting({ keys: [first.jwk, second.jwk] });
    expect(await standingOf(h, await sign(first))).toBe('good');
    expect(await standingOf(h, await sign(second))).toBe('good');
    expect(await standingOf(h, await sign({ ...first, kid: 'second' }))).toBe('signature');
    expect(await standingOf(h, await sign(first, {}, { kid: undefined }))).toBe('signature');
  });

  test('is accepted from its own issuer only', async () => {
    const [ours, theirs] = [await makeKey(), await makeKey()];
    const other = 'https://other.example';
    const h = await openTrusting({ keys: [ours.jwk] }, { issuer: other, keys: [theirs.jwk] });
    expect(await standingOf(h, await sign(ours))).toBe('good');
    expect(await standingOf(h, await sign(theirs, { iss: other }))).toBe('good');
    expect(await standingOf(h, await sign(theirs))).toBe('signature');
    expect(await standingOf(h, await sign(ours, { iss: other }))).toBe('signature');
  });

  test('is refused once its organization is revoked, even if it was known before', async () => {
    const key = await makeKey();
    const h = await openTrusting({ keys: [key.jwk] });
    const token = await sign(key);
    const actor = await actorOf(h, token);
    expect(await revokeKey(h, actor, 0)).toHaveProperty('done');
    await change(h, actor.organizationId, { revoked_at_ms: Date.now() });
    expect(await standingOf(h, token)).toBe('ownerRevoked');
    expect(await revokeKey(h, actor, 1)).toEqual({ refused: new Unauthenticated('revoked') });
    expect(await h.ledger()).toHaveLength(1);
  });
});

interface Attack {
  readonly h: Harness;
  readonly key: Key;
  /** A key that nobody trusts, under the name of the trusted one. */
  readonly stranger: Key;
  /** Where a server of the attacker publishes the stranger's key. */
  readonly lure: string;
}

const pastS = () => Math.floor(Date.now() / 1000) - 60;
const ours = { iss: 'http://localhost:8080', aud: 'http://localhost:8080' };

const attacks: [what: string, standing: string, (attack: Attack) => string | Promise<string>][] = [
  ['for another audience', 'claims', ({ key }) => sign(key, { aud: 'somebody-else' })],
  ['for an audience that begins alike', 'claims', ({ key }) => sign(key, { aud: `${AUDIENCE}2` })],
  ['for no audience', 'claims', ({ key }) => sign(key, { aud: undefined })],
  ['of another issuer', 'algorithm', ({ key }) => sign(key, { iss: 'https://other.example' })],
  ['of no issuer', 'algorithm', ({ key }) => sign(key, { iss: undefined })],
  ['of the issuer and a slash', 'algorithm', ({ key }) => sign(key, { iss: `${ISSUER}/` })],
  ['that has expired', 'expired', ({ key }) => sign(key, { exp: pastS() })],
  ['that never expires', 'claims', ({ key }) => sign(key, { exp: undefined })],
  ['that expires at no number', 'claims', ({ key }) => forgeWell(key, { exp: '9999999999' })],
  ['that is not good yet', 'claims', ({ key }) => sign(key, { nbf: pastS() + 600 })],
  ['of nobody', 'claims', ({ key }) => sign(key, { sub: undefined })],
  ['of no organization', 'claims', ({ key }) => sign(key, { organization: undefined })],
  ['of an unknown organization', 'claims', ({ key }) => sign(key, { organization: 'nowhere' })],
  ['of one that is not listed', 'claims', ({ key }) => sign(key, { organization: 'globex' })],
  ['with alg none', 'algorithm', () => forge({ alg: 'none' }, claims(), () => Buffer.alloc(0))],
  ['with alg nOnE', 'algorithm', () => forge({ alg: 'nOnE' }, claims(), () => Buffer.alloc(0))],
  ['with no alg', 'algorithm', () => forge({}, claims(), () => Buffer.alloc(0))],
  ['with a list of algs', 'algorithm', () => forge({ alg: ['ES256'] }, claims(), hmac(''))],
  [
    'with HMAC by the PEM of the public key',
    'algorithm',
    async ({ key }) => forge({ alg: 'HS256' }, claims(), hmac(await exportSPKI(key.publicKey))),
  ],
  [
    'with HMAC by the JWK of the public key',
    'algorithm',
    ({ key }) => forge({ alg: 'HS512' }, claims(), hmac(JSON.stringify(key.jwk), 'sha512')),
  ],
  [
    "with HMAC by the gateway's own public key",
    'algorithm',
    async ({ h }) => {
      const secret = Buffer.from((await ownKey(h)).publicJwk.x ?? '', 'base64url');
      return forge({ alg: 'HS256' }, claims(ours), hmac(secret));
    },
  ],
  [
    'whose header says RS256 over an EC key',
    'signature',
    async ({ key }) => forge({ alg: 'RS256', kid: key.kid }, claims(), await ecdsa(key)),
  ],
  [
    'whose header says ES384 over a P-256 key',
    'signature',
    async ({ key }) => forge({ alg: 'ES384', kid: key.kid }, claims(), await ecdsa(key)),
  ],
  ['signed with a key that is not listed', 'signature', ({ stranger }) => sign(stranger)],
  ['whose kid is not listed', 'signature', ({ key }) => sign(key, {}, { kid: 'key-2' })],
  ['whose kid is a path', 'signature', ({ key }) => sign(key, {}, { kid: '../../dev/null' })],
  ['that brings its key', 'signature', (a) => sign(a.stranger, {}, { jwk: a.stranger.jwk })],
  ['that says where its keys are', 'signature', (a) => sign(a.stranger, {}, { jku: a.lure })],
  ['that points to certificates', 'signature', (a) => sign(a.stranger, {}, { x5u: a.lure })],
  [
    'with a critical extension',
    'signature',
    async ({ key }) =>
      forge({ alg: 'ES256', kid: key.kid, crit: ['exp'], exp: 0 }, claims(), await ecdsa(key)),
  ],
  [
    'with another payload',
    'signature',
    async ({ key }) => spliced(await sign(key), await sign(key, { sub: 'eve' })),
  ],
  ['with no signature', 'signature', async ({ key }) => (await sign(key)).replace(/[^.]*$/, '')],
  [
    'in our name, signed by somebody else',
    'signature',
    async () => sign(await makeKey('key-1', 'EdDSA'), ours),
  ],
  ['in our name, signed with its own key', 'algorithm', ({ key }) => sign(key, ours)],
  [
    'signed with our own key, that we never minted',
    'unknown',
    async ({ h }) => sign(await ownKey(h), ours, { typ: 'at+jwt' }),
  ],
  [
    'signed with our own key, and of no type that we sign for callers',
    'claims',
    async ({ h }) => sign(await ownKey(h), ours),
  ],
  [
    'signed with our own key, in the name of the issuer',
    'algorithm',
    async ({ h }) => sign(await ownKey(h)),
  ],
];

const forgeWell = async (key: Key, changed: object) =>
  forge({ alg: key.alg, kid: key.kid }, { ...claims(), ...changed }, await ecdsa(key));

/** The payload of one JWT between the header and the signature of another. */
function spliced(jwt: string, other: string): string {
  const [header, , signature] = jwt.split('.');
  return [header, other.split('.')[1], signature].join('.');
}

describe('a JWT', () => {
  test.each(attacks)(
    '%s is refused, and nothing is done or fetched',
    async (_what, standing, attack) => {
      const [key, stranger] = [await makeKey(), await makeKey()];
      const lure = await listen((response) =>
        response.end(JSON.stringify({ keys: [stranger.jwk] })),
      );
      const h = await openTrusting({
        ...{
          keys: [key.jwk],
          algorithms: ['ES256', 'ES384', 'RS256'],
          organizations: ['acme', 'nowhere'],
        },
      });
      expect(await standingOf(h, await sign(key))).toBe('good');
      const rows = await h.rows();

      const token = await attack({ h, key, stranger, lure: lure.url });
      expect(await standingOf(h, token)).toBe(standing);
      expect(await whoIs(h, token)).toBeNull();
      const { applicationId, keyId } = h.demo.apiKey[0] ?? {};
      const path = `/api/v1/applications/${applicationId}/api-keys/${keyId}`;
      expect((await h.rest('DELETE', path, token)).status).toBe(401);
      expect(await h.rows()).toEqual(rows);
      expect(await h.ledger()).toEqual([]);
      expect(lure.received).toEqual([]);
    },
  );
});
