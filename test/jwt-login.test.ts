import { decodeJwt, exportSPKI } from 'jose';
import { describe, expect, test } from 'vitest';
import { signatureAlgorithms } from '../src/config.ts';
import { change, standingOf, whoIs } from './callers.ts';
import type { Harness } from './harness.ts';
import {
  accessTokenOf,
  addIdentity,
  ask,
  expectDone,
  logIn,
  openReaching,
  refusedLogIn,
  withJwtAuth,
  withTokenAuth,
} from './identities.ts';
import { claims, ecdsa, forge, hmac, type Key, makeKey, sign } from './issuers.ts';
import { organizationRow } from './kinds.ts';
import { type Loopback, listen } from './loopback.ts';

/** Logging in with a JWT of an issuer outside: who gets an access token, and what others are told. */

const publish = (...keys: Key[]): Promise<Loopback> =>
  listen((response) => response.end(JSON.stringify({ keys: keys.map(({ jwk }) => jwk) })));

const published = ({ url }: Loopback) => ({
  configurationType: 'JWKS',
  jwksUrl: url,
  publicKeys: null,
});

test.each(signatureAlgorithms)('a JWT signed with %s is exchanged', async (alg) => {
  const key = await makeKey('key-1', alg);
  const h = await openReaching();
  for (const settings of [{}, published(await publish(key))]) {
    const identityId = await withJwtAuth(h, key, settings);
    const token = await accessTokenOf(h, { identityId, jwt: await sign(key) });
    expect(await standingOf(h, token)).toBe('good');
  }
});

test('the access token is of the identity, may do what it may, and is on disk', async () => {
  const key = await makeKey();
  const h = await openReaching();
  const identityId = await withJwtAuth(h, key, { accessTokenTTL: 600, accessTokenMaxTTL: 7200 });
  const entries = (await h.ledger()).length;
  const organizationSlug = 'acme';
  const came = await logIn(h, { identityId, jwt: await sign(key), organizationSlug });
  const { accessToken } = came as { accessToken: string };
  expect(came).toEqual({ accessToken, expiresIn: 600, accessTokenMaxTTL: 7200 });

  const permissions = ['identity:read'];
  expect(await whoIs(h, accessToken)).toEqual({ name: 'robot', organization: 'acme', permissions });
  const { jti = '', iat = 0, exp, ...says } = decodeJwt(accessToken);
  expect(says).toMatchObject({
    ...{ sub: identityId, client_id: identityId, organization: 'acme', permissions },
    scope: 'identity:read',
  });
  expect(exp).toBe(iat + 600);
  const row = await h.row(jti);
  const method = await h.row(row.parent_id ?? '');
  expect([method.kind, method.parent_id]).toEqual(['jwt-auth', identityId]);
  expect(row.expires_at_ms).toBeGreaterThan(Date.now());

  expect((await h.ledger()).slice(entries)).toMatchObject([
    {
      ...{ action: 'create', kind: 'access-token', target: jti, target_id: jti, outcome: 'done' },
      ...{ actor: 'robot', actor_id: method.id, surface: 'rest', request_id: 'req-of-a-test' },
    },
  ]);
});

describe('nobody learns whether there is an identity that has no JWT Auth', () => {
  const cases: [what: string, (h: Harness, key: Key) => Promise<string>, slug?: string][] = [
    ['has an id of nothing', async () => '0190dead-0000-7000-8000-00000000dead'],
    ['has no id at all', async () => ''],
    ['is an organization', async (h) => (await organizationRow(h, 'acme')).id],
    ['has never had JWT Auth', (h) => addIdentity(h)],
    ['has Token Auth', (h) => withTokenAuth(h)],
    ['has JWT Auth no more', removed],
    ['is in another organization', (h, key) => withJwtAuth(h, key), 'globex'],
    ['is in no such organization', (h, key) => withJwtAuth(h, key), ''],
    ['has JWT Auth no more, and is revoked', gone],
  ];

  test.each(cases)('one that %s', async (_what, make, organizationSlug) => {
    const key = await makeKey();
    const h = await openReaching();
    const identityId = await make(h, key);
    const entries = await h.ledger();
    for (const jwt of [await sign(key), 'no.jwt', '']) {
      expect(await refusedLogIn(h, { identityId, jwt, organizationSlug })).toEqual([
        404,
        'NotFound',
        'JWT auth method not found for identity, did you configure JWT auth?',
      ]);
    }
    expect(await h.ledger()).toEqual(entries);
  });

  async function removed(h: Harness, key: Key) {
    const identityId = await withJwtAuth(h, key);
    expectDone(await ask(h, 'revokeJwtAuth', { identityId }));
    return identityId;
  }

  async function gone(h: Harness, key: Key) {
    const identityId = await removed(h, key);
    expectDone(await ask(h, 'revokeIdentity', { identityId }));
    return identityId;
  }
});

test.each(['identity', 'organization'])(
  'while the %s is revoked, nobody logs in',
  async (which) => {
    const key = await makeKey();
    const h = await openReaching();
    const identityId = await withJwtAuth(h, key);
    const id = which === 'identity' ? identityId : (await organizationRow(h, 'acme')).id;
    await change(h, id, { revoked_at_ms: Date.now() });
    for (const jwt of [await sign(key), 'no.jwt']) {
      const refused = [401, 'UnauthorizedError', 'Identity not found'];
      expect(await refusedLogIn(h, { identityId, jwt })).toEqual(refused);
    }
  },
);

test.each([
  ['no JWT', () => 'nothing'],
  ['nothing', () => ''],
  ['three parts of nothing', () => 'a.b.c'],
  ['an encrypted JWT', () => `${'a.'.repeat(4)}a`],
  ['a payload that is a list', (key: Key) => signedList(key)],
])('%s is an invalid JWT', async (_what, make) => {
  const key = await makeKey();
  const h = await openReaching();
  const identityId = await withJwtAuth(h, key);
  const refused = [401, 'UnauthorizedError', 'Invalid JWT'];
  expect(await refusedLogIn(h, { identityId, jwt: await make(key) })).toEqual(refused);
});

const signedList = async (key: Key) => forge({ alg: 'ES256' }, ['a'], await ecdsa(key));

const nowS = () => Math.floor(Date.now() / 1000);
const unsigned = () => Buffer.alloc(0);
const unknownKey = (kid: string) => `Unable to find a signing key that matches '${kid}'`;

/** What is wrong, what is told where the keys are set, and where they are published. */
const wrong: [
  what: string,
  text: string,
  inJwks: string,
  (key: Key) => Promise<string> | string,
][] = [
  same('it has expired', 'jwt expired', (key) => sign(key, { exp: nowS() })),
  same('it is for later', 'jwt not active', (key) => sign(key, { nbf: nowS() + 30 })),
  same('it never expires', 'invalid exp value', (key) => sign(key, { exp: undefined })),
  same('it expires at no number', 'invalid exp value', async (key) =>
    forge({ alg: 'ES256', kid: 'key-1' }, claims({ exp: '9999999999' }), await ecdsa(key)),
  ),
  same('it begins at no number', 'invalid nbf value', async (key) =>
    forge({ alg: 'ES256', kid: 'key-1' }, claims({ nbf: '1' }), await ecdsa(key)),
  ),
  same('another key signed it', 'invalid signature', async () => sign(await makeKey())),
  same('its payload was changed', 'invalid signature', async (key) => tampered(await sign(key))),
  same('it is not signed', 'jwt signature is required', () =>
    forge({ alg: 'none' }, claims(), unsigned),
  ),
  same('it says that it is not signed', 'invalid algorithm', () =>
    forge({ alg: 'none', kid: 'key-1' }, claims(), () => Buffer.from('signature')),
  ),
  same('it is HMAC by the published key', 'invalid algorithm', async (key) => {
    const pem = await exportSPKI(key.publicKey);
    return forge({ alg: 'HS256', kid: 'key-1' }, claims(), hmac(pem));
  }),
  same('its header asks for what nobody knows', 'invalid token', async (key) =>
    forge({ alg: 'ES256', kid: 'key-1', crit: ['x'], x: 1 }, claims(), await ecdsa(key)),
  ),
  [
    'its algorithm does not fit the key',
    'invalid algorithm',
    unknownKey('key-1'),
    async (key) => forge({ alg: 'RS256', kid: 'key-1' }, claims(), await ecdsa(key)),
  ],
];

function same(what: string, text: string, make: (key: Key) => Promise<string> | string) {
  return [what, text, text, make] as (typeof wrong)[number];
}

function tampered(jwt: string): string {
  const [header, , signature] = jwt.split('.');
  const payload = Buffer.from(JSON.stringify(claims({ sub: 'eve' }))).toString('base64url');
  return [header, payload, signature].join('.');
}

test.each(wrong)('refused: %s', async (_what, text, inJwks, make) => {
  const key = await makeKey();
  const h = await openReaching();
  const jwt = await make(key);
  const set = await withJwtAuth(h, key);
  const inUrl = await withJwtAuth(h, key, published(await publish(key)));
  const entries = await h.ledger();
  expect([
    await refusedLogIn(h, { identityId: set, jwt }),
    await refusedLogIn(h, { identityId: inUrl, jwt }),
  ]).toEqual([
    [
      ...[401, 'UnauthorizedError'],
      `Access denied: JWT verification failed with all keys. Errors - ${text}`,
    ],
    [401, 'UnauthorizedError', `Access denied: ${inJwks}`],
  ]);
  expect(await h.ledger()).toEqual(entries);
});

test('several keys that are set are tried in turn; each says what is wrong', async () => {
  const keys = [await makeKey('1'), await makeKey('2', 'RS256'), await makeKey('3', 'EdDSA')];
  const h = await openReaching();
  const publicKeys = await Promise.all(keys.map(({ publicKey }) => exportSPKI(publicKey)));
  const identityId = await withJwtAuth(h, keys[0] as Key, { publicKeys });
  for (const key of keys) {
    const token = await accessTokenOf(h, { identityId, jwt: await sign(key) });
    expect(await standingOf(h, token)).toBe('good');
  }
  const jwt = await sign(keys[2] as Key, { exp: nowS() - 1 });
  const [, , text] = await refusedLogIn(h, { identityId, jwt });
  expect(text).toBe(
    'Access denied: JWT verification failed with all keys. Errors - invalid algorithm; invalid algorithm; jwt expired',
  );
});

test('the clock of the gateway counts', async () => {
  let nowMs = Date.now();
  const key = await makeKey();
  const h = await openReaching({ now: () => nowMs });
  const identityId = await withJwtAuth(h, key);
  const jwt = await sign(key, { exp: Math.floor(nowMs / 1000) + 3_600 });
  await accessTokenOf(h, { identityId, jwt });
  nowMs += 3_600_001;
  expect((await refusedLogIn(h, { identityId, jwt }))[2]).toMatch(/Errors - jwt expired$/);
});
