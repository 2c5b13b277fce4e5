import { createPublicKey, type JsonWebKey } from 'node:crypto';
import type { JWK } from 'jose';
import { describe, expect, test } from 'vitest';
import {
  assign,
  keyPair,
  makeAssigned,
  makeCredential,
  makeJwk,
  names,
  revokeKind,
  signAs,
  standingFor,
  vouchedFor,
} from './assigned.ts';
import { change, standingOf } from './callers.ts';
import { openGateway } from './harness.ts';
import { forge, hmac } from './issuers.ts';
import { insert, organizationRow } from './kinds.ts';

/** JWTs that gateway credentials sign with the JWKs that are assigned to them for validation. */

const { projectName, username, jwkName } = names;
const open = () => openGateway({ count: 0 });

describe('a JWT of a JWK that is assigned for validation', () => {
  test.each(['EdDSA', 'ES256', 'ES384', 'ES512', 'RS256', 'PS256'])(
    'is accepted when signed with %s',
    async (generate) => {
      const h = await open();
      await makeCredential(h);
      const key = await makeJwk(h, names, { generate });
      const token = await signAs(key);
      expect(await standingFor(h, token)).toBe('unknown');
      const { shown } = await assign(h);
      expect(await vouchedFor(h, token)).toMatchObject({
        ...{ kind: 'jwk-validation', name: username, permissions: [] },
        chain: [
          { id: shown.id },
          { kind: 'gateway-credential', slug: username },
          { kind: 'project', slug: projectName },
          { kind: 'organization', slug: 'acme' },
        ],
        claims: { sub: username },
      });
    },
  );

  test('is accepted with a public key that was pasted, named by its kid or thumbprint', async () => {
    const h = await open();
    await makeCredential(h);
    for (const kid of [undefined, 'my key']) {
      const { secret, published } = await keyPair();
      const publicJwk = JSON.stringify({ ...published, kid });
      await makeJwk(h, { ...names, jwkName: `${kid}` }, { generate: null, publicJwk });
      await assign(h, { ...names, jwkName: `${kid}` });
      const token = await signAs({ ...secret, kid: kid ?? secret.kid ?? '' });
      expect(await standingFor(h, token)).toBe('good');
    }
  });

  test('is no caller of this gateway', async () => {
    const h = await open();
    const token = await signAs(await makeAssigned(h), { iss: 'http://localhost:8080' });
    expect(await standingFor(h, token)).toBe('good');
    expect(await standingOf(h, token)).not.toBe('good');
  });

  const ends = {
    'jwk-validation': ['revoked', { projectName, username }],
    jwk: ['revoked', { projectName, jwkName }],
    'gateway-credential': ['ownerRevoked', { projectName, username }],
  } as const;

  test.each(Object.entries(ends))(
    'is refused at once after its %s is',
    async (kind, [why, input]) => {
      const h = await open();
      const [key, sibling] = [await makeAssigned(h), { projectName: 'other', username, jwkName }];
      const siblings = await signAs(await makeAssigned(h, sibling));
      const token = await signAs(key);
      expect([await standingFor(h, token), await standingFor(h, siblings)]).toEqual([
        'good',
        'good',
      ]);
      expect(await revokeKind(h, kind, input)).not.toHaveProperty('code');
      expect(await standingFor(h, token)).toBe(why);
      expect(await standingFor(h, await signAs(key))).toBe(why);
      expect(await standingFor(h, siblings)).toBe('good');
    },
  );

  test.each(['project', 'organization'])('is refused once its %s is revoked', async (kind) => {
    const h = await open();
    const token = await signAs(await makeAssigned(h));
    const rows = (await h.rows()).filter((row) => row.kind === kind);
    const above = rows.find(({ slug }) => slug === projectName || slug === 'acme');
    await change(h, above?.id ?? '', { revoked_at_ms: 1, revoked_by: 'somebody' });
    expect(await standingFor(h, token)).toBe('ownerRevoked');
  });

  test('is another matter than the JWK for encryption', async () => {
    const h = await open();
    await makeCredential(h);
    const key = await makeJwk(h);
    await assign(h, names, 'Encryption');
    const token = await signAs(key);
    expect(await standingFor(h, token)).toBe('unknown');
    await assign(h);
    expect(await standingFor(h, token)).toBe('good');
    await revokeKind(h, 'jwk-encryption', { projectName, username });
    expect(await standingFor(h, token)).toBe('good');
  });

  test('counts in its own organization only, whatever others call theirs', async () => {
    const h = await open();
    const { secret, published } = await keyPair();
    const pasted = { publicJwk: JSON.stringify(published) };
    for (const token of [h.demo.callers.admin, h.demo.callers.outsider]) {
      await makeCredential(h, names, token);
      await makeJwk(h, names, pasted, token);
    }
    const token = await signAs(secret);
    await assign(h, names, 'Validation', h.demo.callers.outsider);
    expect(await standingFor(h, token, 'acme')).toBe('unknown');
    expect(await standingFor(h, token, 'globex')).toBe('good');
    expect(await h.running.gateway.verify(token, { use: false })).toHaveProperty('reason');

    await assign(h);
    await revokeKind(h, 'gateway-credential', { projectName, username });
    expect(await standingFor(h, token, 'acme')).toBe('ownerRevoked');
    expect(await standingFor(h, token, 'globex')).toBe('good');
  });

  test('that was cut off is not revived by another project with the same key and names', async () => {
    const h = await open();
    const { secret, published } = await keyPair();
    const pasted = { publicJwk: JSON.stringify(published) };
    const elsewhere = { ...names, projectName: 'other' };
    for (const each of [names, elsewhere]) {
      await makeCredential(h, each);
      await makeJwk(h, each, pasted);
      await assign(h, each);
    }
    const [token, next] = [await signAs(secret), await signAs(secret, { jti: 'next' })];
    const vouched = await vouchedFor(h, token);
    if (typeof vouched === 'string') throw new Error(vouched);
    await insert(h, 'cut_offs', {
      ...{ id: h.running.gateway.newId(), before_ms: null, scope: 'token' },
      organization_id: (await organizationRow(h, 'acme')).id,
      ...{ issuer: vouched.foreign.issuer, value: vouched.foreign.tokenId },
    });
    expect(await standingFor(h, token)).toBe('cutOff');
    expect(await standingFor(h, next)).toBe('good');
    await revokeKind(h, 'jwk-validation', { projectName: 'other', username });
    expect(await standingFor(h, token)).toBe('cutOff');
    expect(await standingFor(h, next)).toBe('good');
  });
});

const nowS = () => Math.floor(Date.now() / 1000);
const publicOf = ({ d, ...published }: JWK) => published;
const claims = () => ({ sub: username, iat: nowS(), exp: nowS() + 300 });

const pemOf = (key: JWK) =>
  createPublicKey({ key: publicOf(key) as JsonWebKey, format: 'jwk' })
    .export({ format: 'pem', type: 'spki' })
    .toString();

/** The same signature over one claim more. */
function changed(token: string): string {
  const [header, payload = '', signature] = token.split('.');
  const said = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object;
  const more = Buffer.from(JSON.stringify({ ...said, admin: true })).toString('base64url');
  return [header, more, signature].join('.');
}

const bring = ({ kid }: JWK, others: JWK) => ({ kid, jwk: publicOf(others) });

/** A JWT with a MAC by something that everybody knows. */
const mac = (key: JWK, secret: string | Buffer) =>
  forge({ alg: 'HS256', kid: key.kid }, claims(), hmac(secret));

describe('a JWT is refused', () => {
  test.each<[string, string, (key: JWK, others: JWK) => string | Promise<string>]>([
    [
      'unsigned',
      'algorithm',
      ({ kid }) => forge({ alg: 'none', kid }, claims(), () => Buffer.of()),
    ],
    ['with a MAC by its public key', 'algorithm', (key) => mac(key, JSON.stringify(publicOf(key)))],
    ['with a MAC by its PEM', 'algorithm', (key) => mac(key, pemOf(key))],
    ['of another key by its kid', 'signature', ({ kid }, others) => signAs(others, {}, { kid })],
    ['that was changed', 'signature', async (key) => changed(await signAs(key))],
    [
      'that brings its key along',
      'signature',
      (key, others) => signAs(others, {}, bring(key, others)),
    ],
    ['of the key of another credential', 'unknown', (_key, others) => signAs(others)],
    ["of its own key in another's name", 'unknown', (key) => signAs(key, { sub: 'grace' })],
    ['without a kid', 'unknown', (key) => signAs(key, {}, { kid: undefined })],
    ['with an unknown kid', 'unknown', (key) => signAs(key, {}, { kid: 'nobody' })],
    ['without a subject', 'unknown', (key) => signAs(key, { sub: undefined })],
    ['without an end', 'claims', (key) => signAs(key, { exp: undefined })],
    ['after its end', 'expired', (key) => signAs(key, { exp: nowS() - 6 })],
    ['before its beginning', 'claims', (key) => signAs(key, { nbf: nowS() + 60 })],
    ['from the future', 'claims', (key) => signAs(key, { iat: nowS() + 60 })],
    ['of another type', 'claims', (key) => signAs(key, {}, { typ: 'dpop+jwt' })],
  ])('%s', async (_what, why, forged) => {
    const h = await open();
    const key = await makeAssigned(h);
    const others = await makeAssigned(h, { ...names, projectName: 'other', username: 'grace' });
    expect(await standingFor(h, await signAs(key))).toBe('good');
    expect(await standingFor(h, await signAs(others, { sub: 'grace' }))).toBe('good');
    expect(await standingFor(h, await forged(key, others))).toBe(why);
  });
});

test.each<[string, string, object]>([
  ['RS256', 'PS256', {}],
  ['PS256', 'RS512', {}],
  ['RSA-OAEP-256', 'RS256', { use: 'sig' }],
  ['ECDH-ES', 'ES256', { use: 'sig' }],
  ['ES256', 'ES256', { use: 'enc' }],
  ['ES256', 'ES256', { key_ops: ['sign'] }],
])('a JWK for %s counts for no JWT with %s where it is %j', async (alg, others, more) => {
  const h = await open();
  await makeCredential(h);
  const { secret, published } = await keyPair(alg);
  const publicJwk = JSON.stringify({ ...published, ...more });
  await makeJwk(h, names, { publicJwk });
  await assign(h);
  expect(await standingFor(h, await signAs({ ...secret, alg: others }))).toBe('signature');
});
