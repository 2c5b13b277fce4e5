import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { JWKS_MAX_AGE_MS } from '../src/verify/remote-keys.ts';
import { askEveryRoute, standingOf, whoIs } from './callers.ts';
import type { Harness } from './harness.ts';
import { type Key, makeKey, openTrusting, sign } from './issuers.ts';
import { type Loopback, listen, talkForever } from './loopback.ts';

/** JWTs of an issuer outside that publishes its keys: what it says now counts, and silence is no yes. */

/** An issuer's endpoint, on which keys come and go. */
async function publish(...keys: Key[]) {
  const published = [...keys];
  const server = await listen((response) =>
    response.end(JSON.stringify({ keys: published.map(({ jwk }) => jwk) })),
  );
  return { server, published };
}

const openReading = ({ url }: Pick<Loopback, 'url'>) => openTrusting({ jwksUrl: url });

/** Moves the clock that tells how old a key set is; everything else goes on in real time. */
function moveClock() {
  const startMs = Date.now();
  vi.useFakeTimers({ toFake: ['Date'], now: startMs });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  return (toMs: number) => vi.setSystemTime(startMs + toMs);
}

/** Every surface says that it cannot answer, and when to ask again; nothing is done. */
async function expectUnavailable(h: Harness, token: string) {
  const [rows, entries] = [await h.rows(), await h.ledger()];
  const answers = await askEveryRoute(h, token);
  for (const { status, headers, body } of answers) {
    expect([status, headers['retry-after']]).toEqual([503, '1']);
    expect(() => JSON.parse(body)).not.toThrow();
    expect(body).not.toContain('issuer.example');
  }
  const graph = await h.app.inject({
    method: 'POST',
    url: '/graphql',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    payload: JSON.stringify({ query: '{ me { name } }' }),
  });
  expect([graph.statusCode, graph.headers['retry-after']]).toEqual([503, '1']);
  expect(graph.json()).toMatchObject({ errors: [{ extensions: { code: 'UNAVAILABLE' } }] });
  expect([await h.rows(), await h.ledger()]).toEqual([rows, entries]);
}

test('a JWT signed with a published key is accepted; the keys are read once for many', async () => {
  const key = await makeKey();
  const { server } = await publish(key);
  const h = await openReading(server);
  const tokens = await Promise.all(
    Array.from({ length: 20 }, (_, i) => sign(key, { sub: `${i}` })),
  );
  const known = await Promise.all(tokens.map((token) => standingOf(h, token)));
  expect(new Set(known)).toEqual(new Set(['good']));
  expect(await whoIs(h, tokens[7] ?? '')).toMatchObject({ name: '7 (https://issuer.example)' });
  expect(server.received).toMatchObject([{ method: 'GET', url: '/' }]);
});

test.each([
  ['a key that is not published', 'signature', async () => sign(await makeKey())],
  ['a kid that is not published', 'signature', async (key: Key) => sign({ ...key, kid: 'key-2' })],
  ['HMAC by the published key', 'algorithm', async (key: Key) => hs256(key)],
])('a JWT signed with %s is refused', async (_what, standing, forged) => {
  const key = await makeKey();
  const { server } = await publish(key);
  const h = await openReading(server);
  expect(await standingOf(h, await sign(key))).toBe('good');
  expect(await standingOf(h, await forged(key))).toBe(standing);
});

const hs256 = (key: Key) =>
  sign({
    ...key,
    alg: 'HS256',
    privateKey: new TextEncoder().encode(JSON.stringify(key.jwk)) as never,
  });

test('a JWT that fits several published keys and names none is refused, as no fault of ours', async () => {
  const keys = [await makeKey('first'), await makeKey('second')] as const;
  const { server } = await publish(...keys);
  const h = await openReading(server);
  expect(await standingOf(h, await sign(keys[1]))).toBe('good');
  expect(await standingOf(h, await sign(keys[1], {}, { kid: undefined }))).toBe('signature');
});

test(`a key that is no longer published is refused after ${JWKS_MAX_AGE_MS} ms`, async () => {
  const [kept, removed] = [await makeKey('kept'), await makeKey('removed')];
  const { server, published } = await publish(kept, removed);
  const h = await openReading(server);
  const atMs = moveClock();
  const token = await sign(removed);
  expect(await standingOf(h, token)).toBe('good');

  published.pop();
  atMs(JWKS_MAX_AGE_MS - 1);
  expect(await standingOf(h, token)).toBe('good');
  atMs(JWKS_MAX_AGE_MS);
  expect(await standingOf(h, token)).toBe('signature');
  expect(await standingOf(h, await sign(kept))).toBe('good');
  expect(server.received).toHaveLength(2);
});

test('a key that is published later is accepted soon, and asked for no more often than that', async () => {
  const [first, second] = [await makeKey('first'), await makeKey('second')];
  const { server, published } = await publish(first);
  const h = await openReading(server);
  const atMs = moveClock();
  expect(await standingOf(h, await sign(first))).toBe('good');
  published.push(second);
  const token = await sign(second);
  for (let i = 0; i < 20; i++) expect(await standingOf(h, token)).toBe('signature');
  expect(server.received).toHaveLength(1);
  atMs(5_000);
  expect(await standingOf(h, token)).toBe('good');
  expect(server.received).toHaveLength(2);
});

test('keys that were read are not believed for longer while their endpoint is down', async () => {
  const key = await makeKey();
  const { server } = await publish(key);
  const h = await openReading(server);
  const atMs = moveClock();
  const token = await sign(key);
  expect(await standingOf(h, token)).toBe('good');
  await server.close();
  atMs(JWKS_MAX_AGE_MS - 1);
  expect(await standingOf(h, token)).toBe('good');
  atMs(JWKS_MAX_AGE_MS);
  await expectUnavailable(h, token);
});

describe('while the keys cannot be read', () => {
  test('nobody of that issuer is known, everybody else is, and it ends by itself', async () => {
    const key = await makeKey();
    const { server } = await publish(key);
    await server.close();
    const h = await openReading(server);
    await expectUnavailable(h, await sign(key));
    await expectUnavailable(h, await sign(await makeKey()));
    expect(await standingOf(h, h.demo.callers.admin)).toBe('good');
    expect(await standingOf(h, await sign(key, { iss: 'https://other.example' }))).toBe(
      'algorithm',
    );

    await listen((response) => response.end(JSON.stringify({ keys: [key.jwk] })), server.port);
    expect(await standingOf(h, await sign(key))).toBe('good');
    expect(await standingOf(h, await sign(await makeKey()))).toBe('signature');
  });

  test.each<[string, (key: Key) => Promise<Loopback>]>([
    ['answers 500', () => listen((r) => r.writeHead(500).end())],
    ['answers no JSON', () => listen((r) => r.end('<html>'))],
    ['answers no key set', (key) => listen((r) => r.end(JSON.stringify(key.jwk)))],
    [
      'answers 404 with the keys',
      (key) => listen((r) => r.writeHead(404).end(JSON.stringify({ keys: [key.jwk] }))),
    ],
    ['never stops talking', () => listen(talkForever)],
    ['closes the connection', () => listen((r) => r.socket?.destroy())],
  ])('since its endpoint %s, the gateway says that it cannot answer', async (_what, start) => {
    const key = await makeKey();
    const h = await openReading(await start(key));
    await expectUnavailable(h, await sign(key));
  });

  test('since its endpoint redirects, the gateway does not follow', async () => {
    const key = await makeKey();
    const { server: elsewhere } = await publish(key);
    const server = await listen((r) => r.writeHead(302, { location: elsewhere.url }).end());
    const h = await openReading(server);
    await expectUnavailable(h, await sign(key));
    expect(elsewhere.received).toEqual([]);
  });

  test('since its endpoint is at an address inside, the gateway does not ask', async () => {
    const key = await makeKey();
    const { server } = await publish(key);
    const url = server.url.replace('127.0.0.1', '[::ffff:10.0.0.1]');
    const h = await openReading({ url });
    await expectUnavailable(h, await sign(key));
    expect(server.received).toEqual([]);
  });
});
