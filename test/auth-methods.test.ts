import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { TRUSTED_IPS_MAX, TTL_MAX_S } from '../src/credentials/auth-method.ts';
import {
  BOUND_CLAIMS_MAX,
  BOUND_TEXT_MAX,
  PEM_MAX,
  PUBLIC_KEYS_MAX,
} from '../src/credentials/jwt-auth/settings.ts';
import { openGateway } from './harness.ts';
import { addIdentity, ask, expectDone } from './identities.ts';

/** Attaching auth methods to identities and changing them: what is kept, and what is refused. */

type Pem = { type: 'spki' | 'pkcs1'; format: 'pem' };
const spki: Pem = { type: 'spki', format: 'pem' };
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const pem = ec.publicKey.export(spki) as string;

const methodDefaults = {
  accessTokenTTL: 2_592_000,
  accessTokenMaxTTL: 2_592_000,
  accessTokenPeriod: 0,
  accessTokenNumUsesLimit: 0,
  accessTokenTrustedIps: ['0.0.0.0/0', '::/0'],
};

const method = {
  accessTokenTTL: 60,
  accessTokenMaxTTL: 120,
  accessTokenPeriod: 30,
  accessTokenNumUsesLimit: 7,
  accessTokenTrustedIps: ['10.0.0.0/8', '192.0.2.1', '2001:db8::/32'],
};

const jwtMethod = {
  ...{ ...method, configurationType: 'STATIC', jwksUrl: 'https://issuer.example/jwks' },
  publicKeys: [pem, rsa.publicKey.export({ type: 'pkcs1', format: 'pem' })],
  ...{ boundIssuer: 'https://issuer.example', boundAudiences: 'a, b', boundSubject: 'repo:*' },
  boundClaims: [
    { claim: 'environment', value: 'production' },
    { claim: 'a.b', value: 'x, y' },
  ],
};

const nothingBound = { boundIssuer: '', boundAudiences: '', boundSubject: '', boundClaims: [] };

test('what is given is kept, what is not has its default', async () => {
  const h = await openGateway();
  const [bare, full] = [await addIdentity(h), await addIdentity(h)];
  const tokenAuth = async (identityId: string, given: object) =>
    (await ask(h, 'attachTokenAuth', { identityId, ...given })).tokenAuth;
  expect(await tokenAuth(bare, {})).toMatchObject(methodDefaults);
  expect(await tokenAuth(full, method)).toMatchObject(method);

  const jwtAuth = async (identityId: string, given: object) =>
    (await ask(h, 'attachJwtAuth', { identityId, ...given })).jwtAuth;
  const jwks = { configurationType: 'JWKS', jwksUrl: 'https://issuer.example/jwks' };
  const bareJwt = { ...methodDefaults, ...jwks, publicKeys: [], ...nothingBound };
  expect(await jwtAuth(bare, jwks)).toMatchObject(bareJwt);
  expect(await jwtAuth(full, jwtMethod)).toMatchObject(jwtMethod);
});

test('an update changes what it says, and nothing else', async () => {
  const h = await openGateway();
  const identityId = await addIdentity(h);
  expectDone(await ask(h, 'attachJwtAuth', { identityId, ...jwtMethod }));
  let expected: Record<string, unknown> = jwtMethod;
  const bare = { configurationType: 'JWKS', publicKeys: [], ...methodDefaults, ...nothingBound };
  for (const given of [{}, { boundSubject: 'x' }, { accessTokenTTL: 0 }, bare, jwtMethod]) {
    expected = { ...expected, ...given };
    const { jwtAuth } = await ask(h, 'updateJwtAuth', { identityId, ...given });
    expect(jwtAuth).toMatchObject(expected);
  }
  const nulls = Object.fromEntries(Object.keys(jwtMethod).map((field) => [field, null]));
  const unchanged = await ask(h, 'updateJwtAuth', { identityId, ...nulls });
  expect(unchanged.jwtAuth).toMatchObject(expected);
});

const ttl = { accessTokenTTL: 121, accessTokenMaxTTL: 120 };
const ipText = 'The IP is not a valid IPv4, IPv6, or CIDR block';

const anyMethod: [what: string, path: string, text: unknown, given: object][] = [
  ...['accessTokenTTL', 'accessTokenMaxTTL', 'accessTokenPeriod'].flatMap((field) =>
    [-1, TTL_MAX_S + 1].map((value): (typeof anyMethod)[number] => [
      ...([`${field} of ${value}`, field] as const),
      ...(['Must be a whole number from 0 to 315360000', { [field]: value }] as const),
    ]),
  ),
  ['fewer uses than none', 'accessTokenNumUsesLimit', /^Must be/, { accessTokenNumUsesLimit: -1 }],
  ['addresses of nowhere', 'accessTokenTrustedIps', /^Must be 1 to/, { accessTokenTrustedIps: [] }],
  [
    ...(['too many addresses', 'accessTokenTrustedIps', /^Must be 1 to/] as const),
    { accessTokenTrustedIps: Array(TRUSTED_IPS_MAX + 1).fill('10.0.0.1') },
  ],
  ...[
    '',
    'x',
    '10.0.0',
    '10',
    '10.0.0.0/33',
    '::/129',
    '10.0.0.1/x',
    'fe80::1%eth0',
    '10.0.0.1/',
  ].map((ip): (typeof anyMethod)[number] => [
    ...([`the address "${ip}"`, 'accessTokenTrustedIps', ipText] as const),
    { accessTokenTrustedIps: ['10.0.0.1', ip] },
  ]),
];

const static1 = { configurationType: 'STATIC' };
const keyText = /^Each must be the PEM of a public key/;
const keysOf = (...publicKeys: unknown[]) => ({ ...static1, publicKeys });
const short = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export(spki);
const other = generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey.export(spki);
const agreement = generateKeyPairSync('x25519').publicKey.export(spki);
const secret = ec.privateKey.export({ type: 'pkcs8', format: 'pem' });
const oldSecret = rsa.privateKey.export({ type: 'pkcs1', format: 'pem' });
const long = 'x'.repeat(BOUND_TEXT_MAX + 1);
const claim = (name: string, value = 'x') => ({ claim: name, value });

const jwtOnly: typeof anyMethod = [
  ['no URL', 'jwksUrl', /^Say where/, { jwksUrl: null, publicKeys: [pem] }],
  ['an empty URL', 'jwksUrl', /^Say where/, { configurationType: 'JWKS', jwksUrl: '' }],
  ['a URL of a file', 'jwksUrl', /^Must be a URL/, { jwksUrl: 'file:///etc/passwd' }],
  ['a URL inside', 'jwksUrl', /^Its address is not public/, { jwksUrl: 'http://10.0.0.1/' }],
  ['a URL of this machine', 'jwksUrl', /^Its address/, { jwksUrl: 'http://127.0.0.1/' }],
  ['a long URL', 'jwksUrl', /^At most/, { jwksUrl: `https://issuer.example/${long}` }],
  ['no keys', 'publicKeys', 'Give at least one', { ...static1, publicKeys: [] }],
  ['too many keys', 'publicKeys', /^At most/, keysOf(...Array(PUBLIC_KEYS_MAX + 1).fill(pem))],
  ['a key that is none', 'publicKeys', keyText, keysOf(pem, 'key')],
  ['a private key', 'publicKeys', keyText, keysOf(secret)],
  ['a private key in the old form', 'publicKeys', keyText, keysOf(oldSecret)],
  ['a private key behind a public one', 'publicKeys', keyText, keysOf(`${pem}${secret}`)],
  ['two keys in one', 'publicKeys', keyText, keysOf(`${pem}${pem}`)],
  ['a short key', 'publicKeys', keyText, keysOf(short)],
  ['a curve that nobody signs with', 'publicKeys', keyText, keysOf(other)],
  ['a key that signs nothing', 'publicKeys', keyText, keysOf(agreement)],
  ['a long key', 'publicKeys', keyText, keysOf(`${pem}${' '.repeat(PEM_MAX)}`)],
  ['a long issuer', 'boundIssuer', /^At most/, { boundIssuer: long }],
  ['a long subject', 'boundSubject', /^At most/, { boundSubject: long }],
  ['long audiences', 'boundAudiences', /^At most/, { boundAudiences: long }],
  ['a claim without a name', 'boundClaims', /empty/, { boundClaims: [claim('')] }],
  ['a claim without a value', 'boundClaims', /empty/, { boundClaims: [claim('a', '')] }],
  ['a long claim', 'boundClaims', /^At most/, { boundClaims: [claim('a', long)] }],
  ['a claim twice', 'boundClaims', /twice/, { boundClaims: [claim('a'), claim('a', 'y')] }],
  [
    ...(['too many claims', 'boundClaims', /^At most/] as const),
    { boundClaims: Array.from({ length: BOUND_CLAIMS_MAX + 1 }, (_, i) => claim(`${i}`)) },
  ],
  ['NUL', 'boundSubject', /NUL/, { boundSubject: 'a\0' }],
];

const jwks = { configurationType: 'JWKS', jwksUrl: 'https://issuer.example/' };
const jwtText = 'Access token TTL cannot be greater than max TTL';
const tokenText = 'Access Token TTL cannot be greater than Access Token Max TTL.';
const saying = (path: string, text: unknown) => ({
  code: 'INVALID_INPUT',
  issues: [{ path, message: text instanceof RegExp ? expect.stringMatching(text) : text }],
});

test('settings that no auth method can have are refused, and nothing is made', async () => {
  const h = await openGateway();
  const identityId = await addIdentity(h);
  const [rows, entries] = [await h.rows(), await h.ledger()];
  const attach = (method: string, given: object) =>
    ask(h, `attach${method}`, { identityId, ...given });

  for (const [what, path, text, given] of anyMethod) {
    const refused = saying(path, text);
    expect(await attach('TokenAuth', given), what).toMatchObject(refused);
    expect(await attach('JwtAuth', { ...jwks, ...given }), what).toMatchObject(refused);
    const update = ask(h, 'updateJwtAuth', { identityId, ...given });
    expect(await update, what).toMatchObject(refused);
  }
  for (const [what, path, text, given] of jwtOnly) {
    const answer = await attach('JwtAuth', { ...jwks, ...given });
    expect(answer, what).toMatchObject(saying(path, text));
  }
  expect(await attach('TokenAuth', ttl)).toMatchObject(saying('accessTokenTTL', tokenText));
  const jwtTtl = await attach('JwtAuth', { ...jwks, ...ttl });
  expect(jwtTtl).toMatchObject(saying('accessTokenTTL', jwtText));
  expect([await h.rows(), await h.ledger()]).toEqual([rows, entries]);
});

test('an update is held against what is there: what does not fit is refused, and recorded', async () => {
  const h = await openGateway();
  const identityId = await addIdentity(h);
  expectDone(await ask(h, 'attachJwtAuth', { identityId, ...jwtMethod }));
  const update = (given: object) => ask(h, 'updateJwtAuth', { identityId, ...given });
  const rows = await h.rows();
  const cases: [object, string, string][] = [
    [{ accessTokenTTL: 121 }, 'accessTokenTTL', jwtText],
    [{ accessTokenMaxTTL: 59 }, 'accessTokenTTL', jwtText],
    [{ configurationType: 'JWKS', jwksUrl: '' }, 'jwksUrl', 'Say where the keys are published'],
    [{ publicKeys: [] }, 'publicKeys', 'Give at least one'],
  ];
  for (const [given, path, text] of cases) {
    expect(await update(given)).toMatchObject(saying(path, text));
  }
  const entry = { action: 'update', kind: 'jwt-auth', target: identityId, outcome: 'refused' };
  expect((await h.ledger()).slice(1)).toMatchObject(
    cases.map(() => ({ ...entry, refusal: 'INVALID_INPUT' })),
  );
  expect(await h.rows()).toEqual(rows);
  expect((await update({})).jwtAuth).toMatchObject(jwtMethod);
  // 0 is no limit, so any time fits.
  expectDone(await update({ accessTokenMaxTTL: 0, accessTokenTTL: 1_000 }));
  expect(await update({ accessTokenMaxTTL: 999 })).toMatchObject(saying('accessTokenTTL', jwtText));
});
