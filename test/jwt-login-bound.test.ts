import { describe, expect, test } from 'vitest';
import { createMatcher, MATCH_TIMEOUT_MS } from '../src/credentials/jwt-auth/match.ts';
import { BOUND_TEXT_MAX } from '../src/credentials/jwt-auth/settings.ts';
import { standingOf } from './callers.ts';
import { accessTokenOf, openReaching, refusedLogIn, withJwtAuth } from './identities.ts';
import { ecdsa, forge, claims as goodClaims, makeKey, sign } from './issuers.ts';

/** What JWT Auth binds: the issuer, the subject, the audience and other claims of a JWT. */

type Claims = Record<string, unknown>;
type Bound = Record<string, string>;

const bind = (bound: Bound) => ({
  boundClaims: Object.entries(bound).map(([claim, value]) => ({ claim, value })),
});

const accepted: [what: string, settings: object, claims: Claims][] = [
  ['the issuer', { boundIssuer: 'https://a.example' }, { iss: 'https://a.example' }],
  ['the subject', { boundSubject: 'repo:acme/app' }, { sub: 'repo:acme/app' }],
  ['the subject by a glob', { boundSubject: 'repo:acme/*' }, { sub: 'repo:acme/app' }],
  ['the subject by **', { boundSubject: 'repo:acme/**' }, { sub: 'repo:acme/app/refs/1' }],
  ['a subject that has a comma', { boundSubject: 'a, b' }, { sub: 'a, b' }],
  ['the audience', { boundAudiences: 'gateway' }, { aud: 'gateway' }],
  ['one audience of a list', { boundAudiences: 'one, two' }, { aud: 'two' }],
  ['one audience of several', { boundAudiences: 'two' }, { aud: ['one', 'two'] }],
  [
    'an audience by a glob',
    { boundAudiences: 'x, https://*.example' },
    { aud: 'https://a.example' },
  ],
  ['a claim', bind({ environment: 'production' }), { environment: 'production' }],
  [
    'a claim by a glob',
    bind({ ref: 'refs/heads/{main,release-?}' }),
    { ref: 'refs/heads/release-1' },
  ],
  ['a claim by not', bind({ ref: '!refs/heads/x' }), { ref: 'refs/heads/main' }],
  [
    'one value of a list',
    bind({ environment: 'staging, production' }),
    { environment: 'production' },
  ],
  ['one of several values', bind({ groups: 'deployers' }), { groups: ['all', 'deployers'] }],
  [
    'a claim inside',
    bind({ 'kubernetes.pod.name': 'web-*' }),
    { kubernetes: { pod: { name: 'web-1' } } },
  ],
  [
    'a claim with dots in its name',
    bind({ 'https://a.example/role': 'x' }),
    { 'https://a.example/role': 'x' },
  ],
  ['a name with dots before what is inside', bind({ 'a.b': 'x' }), { 'a.b': 'x', a: { b: 'y' } }],
  ['true', bind({ email_verified: 'true' }), { email_verified: true }],
  ['false', bind({ draft: 'false' }), { draft: false }],
  ['a number', bind({ run: '7, 8' }), { run: 8 }],
  ['zero', bind({ depth: '0' }), { depth: 0 }],
  [
    'several things',
    { boundSubject: 'a*', ...bind({ x: '1', y: 'true' }) },
    { sub: 'ab', x: 1, y: true },
  ],
  ['a claim called __proto__', bind({ ['__proto__']: 'y' }), { ['__proto__']: 'y' }],
];

test.each(accepted)('%s fits', async (_what, settings, claims) => {
  const key = await makeKey();
  const h = await openReaching();
  const identityId = await withJwtAuth(h, key, settings);
  const token = await accessTokenOf(h, { identityId, jwt: await sign(key, claims) });
  expect(await standingOf(h, token)).toBe('good');
});

const issuer = [403, 'ForbiddenError', 'Access denied: issuer mismatch'];
const noSubject = [401, 'UnauthorizedError', 'Access denied: token has no subject field'];
const subject = [403, 'ForbiddenError', 'Access denied: subject not allowed'];
const noAudience = [401, 'UnauthorizedError', 'Access denied: token has no audience field'];
const audience = [401, 'UnauthorizedError', 'Access denied: token audience not allowed'];
const noClaim = (claim: string) => [
  401,
  'UnauthorizedError',
  `Access denied: token has no ${claim} field`,
];
const mismatch = (claim: string) => [
  401,
  'UnauthorizedError',
  `Access denied: claim mismatch for field ${claim}`,
];

const refused: [what: string, answer: unknown, settings: object, claims: Claims][] = [
  ['another issuer', issuer, { boundIssuer: 'https://a.example' }, { iss: 'https://b.example' }],
  ['no issuer', issuer, { boundIssuer: 'https://a.example' }, { iss: undefined }],
  [
    'an issuer and a slash',
    issuer,
    { boundIssuer: 'https://a.example' },
    { iss: 'https://a.example/' },
  ],
  ['an issuer that is bound by a glob', issuer, { boundIssuer: 'https://*' }, { iss: 'https://a' }],
  [
    'an issuer in a list',
    issuer,
    { boundIssuer: 'https://a.example' },
    { iss: ['https://a.example'] },
  ],
  ['no subject', noSubject, { boundSubject: '*' }, { sub: undefined }],
  ['an empty subject', noSubject, { boundSubject: '*' }, { sub: '' }],
  ['another subject', subject, { boundSubject: 'ada' }, { sub: 'eve' }],
  ['a subject in other letters', subject, { boundSubject: 'ada' }, { sub: 'Ada' }],
  ['a subject beyond a /', subject, { boundSubject: 'repo:acme/*' }, { sub: 'repo:acme/app/1' }],
  ['a subject that goes on', subject, { boundSubject: 'repo:acme' }, { sub: 'repo:acme-evil' }],
  ['a subject that is one of a list', subject, { boundSubject: 'ada, eve' }, { sub: 'eve' }],
  ['a subject that is a pattern itself', subject, { boundSubject: 'ada' }, { sub: '*' }],
  ['no audience', noAudience, { boundAudiences: 'gateway' }, { aud: undefined }],
  ['another audience', audience, { boundAudiences: 'gateway, other' }, { aud: 'gateway, other' }],
  ['an empty list of audiences', audience, { boundAudiences: 'gateway' }, { aud: [] }],
  ['an audience that is a number', audience, { boundAudiences: '7' }, { aud: [7] }],
  ['no such claim', noClaim('role'), bind({ role: 'x' }), {}],
  ['an empty claim', noClaim('role'), bind({ role: 'x' }), { role: '' }],
  ['a claim that is null', noClaim('role'), bind({ role: 'x' }), { role: null }],
  ['a claim that every object has', noClaim('constructor'), bind({ constructor: '*' }), {}],
  [
    'what lies in every object',
    noClaim('constructor.name'),
    bind({ 'constructor.name': 'Object' }),
    {},
  ],
  [
    'what lies in the prototype',
    noClaim('__proto__.toString'),
    bind({ '__proto__.toString': '*' }),
    {},
  ],
  ['what lies in a text', noClaim('role.length'), bind({ 'role.length': '1' }), { role: 'x' }],
  ['what lies in a list', noClaim('role.0'), bind({ 'role.0': 'x' }), { role: ['x'] }],
  ['half a path', mismatch('a.b'), bind({ 'a.b': 'x' }), { a: { b: { c: 'x' } } }],
  ['another value', mismatch('role'), bind({ role: 'admin' }), { role: 'user' }],
  ['a list as a text', mismatch('role'), bind({ role: 'a, b' }), { role: 'a, b' }],
  ['an object', mismatch('role'), bind({ role: '**' }), { role: { a: 1 } }],
  ['an empty list', mismatch('role'), bind({ role: '**' }), { role: [] }],
  ['true for false', mismatch('draft'), bind({ draft: 'false' }), { draft: true }],
  ['false for what is no boolean', mismatch('draft'), bind({ draft: 'no' }), { draft: false }],
  ['a number that begins alike', mismatch('run'), bind({ run: '7x' }), { run: 7 }],
  ['a number by a glob', mismatch('run'), bind({ run: '*' }), { run: 7 }],
  ['a text for a boolean', mismatch('ok'), bind({ ok: 'true' }), { ok: 'TRUE' }],
  ['the second claim', mismatch('b'), bind({ a: 'x', b: 'y' }), { a: 'x', b: 'z' }],
  ['an empty alternative', mismatch('role'), bind({ role: 'a, , b' }), { role: [''] }],
];

test.each(refused)('%s does not fit', async (_what, answer, settings, claims) => {
  const key = await makeKey();
  const h = await openReaching();
  const identityId = await withJwtAuth(h, key, settings);
  expect(await refusedLogIn(h, { identityId, jwt: await sign(key, claims) })).toEqual(answer);
});

test('what is wrong is told in one order: issuer, subject, audience, claims', async () => {
  const key = await makeKey();
  const h = await openReaching();
  const bound = {
    boundIssuer: 'i',
    boundSubject: 's',
    boundAudiences: 'a',
    ...bind({ c: 'c', d: 'd' }),
  };
  const identityId = await withJwtAuth(h, key, bound);
  const steps: [Claims, unknown][] = [
    [{ iss: 'x', sub: 'x', aud: 'x' }, issuer],
    [{ iss: 'i', sub: 'x', aud: 'x' }, subject],
    [{ iss: 'i', sub: 's', aud: 'x' }, audience],
    [{ iss: 'i', sub: 's', aud: 'a', d: 'x' }, noClaim('c')],
    [{ iss: 'i', sub: 's', aud: 'a', c: 'c', d: 'x' }, mismatch('d')],
  ];
  for (const [claims, answer] of steps) {
    expect(await refusedLogIn(h, { identityId, jwt: await sign(key, claims) })).toEqual(answer);
  }
});

test('claims of a JWT that say __proto__ say nothing of others', async () => {
  const key = await makeKey();
  const h = await openReaching();
  const identityId = await withJwtAuth(h, key, bind({ admin: 'true' }));
  const own = Object.fromEntries([['__proto__', { admin: true }]]);
  const jwt = forge({ alg: 'ES256' }, { ...goodClaims(), ...own }, await ecdsa(key));
  expect(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString()).toContain('"__proto__":{');
  expect(await refusedLogIn(h, { identityId, jwt })).toEqual(noClaim('admin'));
});

describe('patterns that would take for ever', () => {
  const text = 'a'.repeat(1_000);
  test.each([
    ['many stars', `${'*a'.repeat(100)}b`],
    ['a group in a group', '(a+)+b'],
    ['alternatives that overlap', '*(a|a?)b'],
    ['nested alternatives', '+(a+(a))b'],
    ['braces', `${'{a,aa,aaa}*'.repeat(20)}b`],
    ['not in not', '!(!(a*)*)b'],
    ['all of it', `${'(a*)*'.repeat(BOUND_TEXT_MAX / 5 - 1)}b`],
  ])('%s: refused in time', async (_what, pattern) => {
    const key = await makeKey();
    const h = await openReaching();
    const identityId = await withJwtAuth(h, key, { boundSubject: pattern });
    const jwt = await sign(key, { sub: text });
    const begunMs = performance.now();
    expect(await refusedLogIn(h, { identityId, jwt })).toEqual(subject);
    expect(performance.now() - begunMs).toBeLessThan(MATCH_TIMEOUT_MS + 5_000);
  });

  test('use up the time of their login, and of no other', () => {
    const matches = createMatcher();
    expect(matches(['xy'], ['x*'])).toBe(true);
    expect(matches([text], ['(a+)+b', 'a*'])).toBe(false);
    expect(matches(['xy'], ['x*'])).toBe(false);
    expect(matches(['xy'], ['xy'])).toBe(true);
    expect(createMatcher()(['xy'], ['x*'])).toBe(true);
  });
});
