import { expect, onTestFinished, test, vi } from 'vitest';
import { Unavailable } from '../src/unavailable.ts';
import { JWKS_MAX_AGE_MS } from '../src/verify/remote-keys.ts';
import { standingOf } from './callers.ts';
import type { Harness } from './harness.ts';
import {
  accessTokenOf,
  ask,
  expectDone,
  logIn,
  openReaching,
  refusedLogIn,
  withJwtAuth,
} from './identities.ts';
import { type Key, makeKey, sign } from './issuers.ts';
import { listen } from './loopback.ts';

/** JWT Auth whose keys are published: what its issuer says now counts, and silence is no yes. */

/** An issuer's endpoint, on which keys come and go. */
async function publish(...keys: Key[]) {
  const published = [...keys];
  const server = await listen((response) =>
    response.end(JSON.stringify({ keys: published.map(({ jwk }) => jwk) })),
  );
  return { server, published };
}

/** A gateway and the age of the keys go by one clock, which a test moves. */
async function openMoving() {
  const startMs = Date.now();
  vi.useFakeTimers({ toFake: ['Date'], now: startMs });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  const h = await openReaching({ now: () => Date.now() });
  return { h, atMs: (toMs: number) => vi.setSystemTime(startMs + toMs) };
}

const reading = (h: Harness, key: Key, url: string) =>
  withJwtAuth(h, key, { configurationType: 'JWKS', jwksUrl: url, publicKeys: null });

const unknownKey = (kid: string) => [
  ...[401, 'UnauthorizedError'],
  `Access denied: Unable to find a signing key that matches '${kid}'`,
];

test('the keys are read once for many logins', async () => {
  const key = await makeKey();
  const { server } = await publish(key);
  const h = await openReaching();
  const identityId = await reading(h, key, server.url);
  const jwt = await sign(key);
  await Promise.all(Array.from({ length: 20 }, () => accessTokenOf(h, { identityId, jwt })));
  expect(server.received).toMatchObject([{ method: 'GET', url: '/' }]);
});

test('a JWT names its key by kid; it needs not where there is only one', async () => {
  const [key, other] = [await makeKey('first'), await makeKey('second')];
  const { server, published } = await publish(key);
  const h = await openReaching();
  const identityId = await reading(h, key, server.url);
  const nameless = await sign(key, {}, { kid: undefined });
  await accessTokenOf(h, { identityId, jwt: nameless });
  for (const kid of ['second', '', "'; drop", 'constructor']) {
    const jwt = await sign({ ...key, kid });
    expect(await refusedLogIn(h, { identityId, jwt })).toEqual(unknownKey(kid));
  }
  published.push(other);
  const several = await reading(h, key, `${server.url}several`);
  expect(await refusedLogIn(h, { identityId: several, jwt: nameless })).toEqual([
    ...[401, 'UnauthorizedError'],
    'Access denied: No KID specified and JWKS endpoint returned more than 1 key',
  ]);
});

test(`a key that is gone is refused after ${JWKS_MAX_AGE_MS} ms, a new one is taken`, async () => {
  const [old, next] = [await makeKey('old'), await makeKey('next')];
  const { server, published } = await publish(old);
  const { h, atMs } = await openMoving();
  const identityId = await reading(h, old, server.url);
  const before = await accessTokenOf(h, { identityId, jwt: await sign(old) });

  published.splice(0, 1, next);
  atMs(JWKS_MAX_AGE_MS - 1);
  await accessTokenOf(h, { identityId, jwt: await sign(old) });
  atMs(JWKS_MAX_AGE_MS);
  const jwt = await sign(old);
  expect(await refusedLogIn(h, { identityId, jwt })).toEqual(unknownKey('old'));
  await accessTokenOf(h, { identityId, jwt: await sign(next) });
  expect(server.received).toHaveLength(2);
  // What was issued while it was published is a credential of its own.
  expect(await standingOf(h, before)).toBe('good');
});

test('a new key is taken soon, and asked for no more often than that', async () => {
  const [first, second] = [await makeKey('first'), await makeKey('second')];
  const { server, published } = await publish(first);
  const { h, atMs } = await openMoving();
  const identityId = await reading(h, first, server.url);
  await accessTokenOf(h, { identityId, jwt: await sign(first) });
  published.push(second);
  const jwt = await sign(second);
  for (let i = 0; i < 20; i++) {
    expect(await refusedLogIn(h, { identityId, jwt })).toEqual(unknownKey('second'));
  }
  expect(server.received).toHaveLength(1);
  atMs(5_000);
  await accessTokenOf(h, { identityId, jwt });
});

test('a key under the same kid is another key', async () => {
  const [old, next] = [await makeKey('same'), await makeKey('same')];
  const { server, published } = await publish(old);
  const { h, atMs } = await openMoving();
  const identityId = await reading(h, old, server.url);
  await accessTokenOf(h, { identityId, jwt: await sign(old) });
  published.splice(0, 1, next);
  atMs(JWKS_MAX_AGE_MS);
  const jwt = await sign(old);
  const [, , text] = await refusedLogIn(h, { identityId, jwt });
  expect(text).toBe('Access denied: invalid signature');
  await accessTokenOf(h, { identityId, jwt: await sign(next) });
});

test('while the keys cannot be read, nobody logs in, and nobody is told that they may not', async () => {
  const key = await makeKey();
  const { server } = await publish(key);
  const { h, atMs } = await openMoving();
  const identityId = await reading(h, key, server.url);
  const jwt = await sign(key);
  await accessTokenOf(h, { identityId, jwt });
  await server.close();
  const [rows, entries] = [await h.rows(), await h.ledger()];
  atMs(JWKS_MAX_AGE_MS);
  for (const presented of [jwt, await sign(await makeKey())]) {
    await expect(logIn(h, { identityId, jwt: presented })).rejects.toBeInstanceOf(Unavailable);
  }
  // What cannot be good, whatever the keys are, is known to be bad.
  const expired = await sign(key, { exp: 1 });
  await expect(logIn(h, { identityId, jwt: expired })).rejects.toBeInstanceOf(Unavailable);
  expect((await refusedLogIn(h, { identityId, jwt: 'no.jwt' }))[2]).toBe('Invalid JWT');
  expect([await h.rows(), await h.ledger()]).toEqual([rows, entries]);

  await listen((response) => response.end(JSON.stringify({ keys: [key.jwk] })), server.port);
  await accessTokenOf(h, { identityId, jwt });
});

test('a JWT Auth reads where it says now', async () => {
  const [key, other] = [await makeKey('first'), await makeKey('second')];
  const [{ server: first }, { server: second }] = [await publish(key), await publish(other)];
  const h = await openReaching();
  const identityId = await reading(h, key, first.url);
  await accessTokenOf(h, { identityId, jwt: await sign(key) });
  await ask(h, 'updateJwtAuth', { identityId, jwksUrl: second.url });
  const jwt = await sign(key);
  expect(await refusedLogIn(h, { identityId, jwt })).toEqual(unknownKey('first'));
  await accessTokenOf(h, { identityId, jwt: await sign(other) });
});

test('a symmetric key that is published is no key', async () => {
  const key = await makeKey('key-1', 'RS256');
  const h = await openReaching();
  const secret = { kty: 'oct', k: Buffer.from('secret').toString('base64url'), kid: 'key-1' };
  const server = await listen((response) => response.end(JSON.stringify({ keys: [secret] })));
  const identityId = await reading(h, key, server.url);
  const jwt = await sign(key);
  expect(await refusedLogIn(h, { identityId, jwt })).toEqual(unknownKey('key-1'));
});

test.each(['revokeJwtAuth', 'revokeIdentity'])(
  'whoever logs in while %s is done gets nothing',
  async (mutation) => {
    const key = await makeKey();
    const h = await openReaching();
    const server = await listen(async (response) => {
      expectDone(await ask(h, mutation, { identityId }));
      response.end(JSON.stringify({ keys: [key.jwk] }));
    });
    const identityId = await reading(h, key, server.url);
    const tokens = async () => (await h.rows()).filter(({ kind }) => kind === 'access-token');
    const before = await tokens();
    const jwt = await sign(key);
    const refused = await refusedLogIn(h, { identityId, jwt });
    expect(refused).toEqual(
      mutation === 'revokeIdentity'
        ? [401, 'UnauthorizedError', 'Identity not found']
        : [
            ...[404, 'NotFound'],
            'JWT auth method not found for identity, did you configure JWT auth?',
          ],
    );
    // As if it had been done before.
    expect(await refusedLogIn(h, { identityId, jwt })).toEqual(refused);
    expect(await tokens()).toEqual(before);
    expect((await h.ledger()).map(({ action }) => action)).toEqual(['create', 'revoke']);
  },
);

test('whoever logs in while the JWT Auth is changed is held against the change', async () => {
  const key = await makeKey();
  const h = await openReaching();
  const server = await listen(async (response) => {
    expectDone(await ask(h, 'updateJwtAuth', { identityId, boundSubject: 'nobody' }));
    response.end(JSON.stringify({ keys: [key.jwk] }));
  });
  const identityId = await reading(h, key, server.url);
  const rows = await h.rows();
  const [status, , text] = await refusedLogIn(h, { identityId, jwt: await sign(key) });
  expect([status, text]).toEqual([403, 'Access denied: subject not allowed']);
  expect(await h.rows()).toEqual(rows);
});
