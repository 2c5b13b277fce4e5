import { describe, expect, test } from 'vitest';
import { trusting } from '../src/verifier/addresses.ts';
import { isTrusted, parseTrustedIp, type TrustedIp } from '../src/verify/limits.ts';
import { caughtUp, follow, followThrough, mutate, reached, said, until } from './enforcement.ts';
import { accessTokenOf, newToken, withJwtAuth, withTokenAuth } from './identities.ts';
import { makeKey, sign } from './issuers.ts';
import { serveGateway, serveTrusting } from './oauth-clients.ts';

/** From where, how often, for how long and how many: what limits credentials, and the verifier itself. */

const INTROSPECTION = '/oauth/introspect';

describe('addresses', () => {
  const accessTokenTrustedIps = ['10.1.0.0/16', '192.0.2.7', '2001:db8::/32'];

  test('a token that is limited to some is good from them alone', async () => {
    const h = await serveGateway();
    const { token } = await newToken(h, await withTokenAuth(h, { accessTokenTrustedIps }));
    const { verifier, proxy } = await followThrough(reached(h));
    const asks = proxy.count(INTROSPECTION);
    for (const address of ['10.1.2.3', '::ffff:10.1.2.3', '192.0.2.7', '2001:db8::1']) {
      expect([address, await said(verifier, token, address)]).toEqual([address, 'good']);
    }
    for (const address of ['10.2.0.1', '192.0.2.8', '2001:db9::1', 'nonsense', '', undefined]) {
      expect([address, await said(verifier, token, address)]).toEqual([address, 'wrong-address']);
    }
    expect(proxy.count(INTROSPECTION) - asks).toBe(1);
  });

  test('what is limited later is limited at once, and what is freed is free', async () => {
    const h = await serveGateway();
    const key = await makeKey();
    const identityId = await withJwtAuth(h, key);
    const token = await accessTokenOf(h, { identityId, jwt: await sign(key) });
    const verifier = await follow(reached(h));
    expect(await said(verifier, token, '10.9.9.9')).toBe('good');
    const limit = async (ips: readonly string[]) => {
      const input = { identityId, accessTokenTrustedIps: ips };
      await mutate(reached(h), 'updateJwtAuth', input);
      await caughtUp(verifier, h);
    };
    await limit(['10.1.0.0/16']);
    expect(await said(verifier, token, '10.9.9.9')).toBe('wrong-address');
    expect(await said(verifier, token, '10.1.9.9')).toBe('good');
    await limit(['10.9.0.0/16']);
    expect(await said(verifier, token, '10.9.9.9')).toBe('good');
    await limit(['0.0.0.0/0', '::/0']);
    expect(await said(verifier, token)).toBe('good');
  });

  const ranges = [
    ...['10.0.0.0/8', '192.0.2.7', '0.0.0.0/0', '::/0', '2001:db8::/32', '::1', 'fe80::/10'],
    ...['::ffff:10.1.0.0/112', '::ffff:0:0/96', '::ffff:c000:207', '::/1', '2001:db8::1/128'],
  ];
  const addresses = [
    ...['10.1.2.3', '::ffff:10.1.2.3', '::FFFF:a01:203', '192.0.2.7', '192.0.2.8', '0.0.0.0'],
    ...['::', '::1', '2001:db8::1', '2001:DB8:0:0::1', 'fe80::1', '255.255.255.255'],
    ...['', 'nonsense', '10.1.2.3.4', '::ffff:999.1.1.1', 'http://10.1.2.3', ' 10.1.2.3'],
  ];
  test.each(ranges)('%s holds what the gateway says it holds', (range) => {
    const trusted = parseTrustedIp(range) as TrustedIp;
    const isIn = trusting([range]);
    const here = addresses.map((address) => [address, isIn(address)]);
    expect(here).toEqual(addresses.map((address) => [address, isTrusted(address, [trusted])]));
  });
});

test('a token that may be used only so often is asked about each time, and refused once it is used up', async () => {
  const h = await serveGateway();
  const identityId = await withTokenAuth(h, { accessTokenNumUsesLimit: 3 });
  const { token } = await newToken(h, identityId);
  const { verifier, proxy } = await followThrough(reached(h));
  const asks = proxy.count(INTROSPECTION);
  for (let i = 0; i < 5; i++) expect(await said(verifier, token)).toBe('good');
  expect(proxy.count(INTROSPECTION) - asks).toBe(5);
  expect(verifier.status().cached).toBe(0);
  for (let i = 0; i < 3; i++) await h.graphql('{ me { __typename } }', {}, token);
  expect(await said(verifier, token)).toBe('invalid');
});

test('what expires is refused from that moment on, by the clock of the gateway', async () => {
  let nowMs = Date.now();
  const h = await serveGateway({ now: () => nowMs });
  const { token } = await newToken(h, await withTokenAuth(h, { accessTokenTTL: 3_600 }));
  const pat = await mutate<{ secret: string }>(
    reached(h),
    'createPersonalAccessToken',
    { name: 'short', permissions: ['ledger:read'], expiresAt: new Date(nowMs + 1_800_000) },
    'secret',
  );
  const verifier = await follow(reached(h));
  const both = async () => [await said(verifier, token), await said(verifier, pat.secret)];
  expect(await both()).toEqual(['good', 'good']);
  nowMs += 1_790_000;
  await caughtUp(verifier, h);
  expect(await both()).toEqual(['good', 'good']);
  nowMs += 20_000;
  await until(async () => (await said(verifier, pat.secret)) === 'expired');
  expect(await both()).toEqual(['good', 'expired']);
  nowMs += 3_600_000;
  await until(async () => (await said(verifier, token)) === 'expired');
  expect(await both()).toEqual(['expired', 'expired']);
});

test('a verdict on a JWT of others is kept for a while, since its keys are not in the feed', async () => {
  let nowMs = Date.now();
  const h = await serveTrusting({ now: () => nowMs });
  const token = await h.trusted({ exp: Math.floor(nowMs / 1000) + 10_000 });
  const { verifier, proxy } = await followThrough(reached(h));
  const asks = () => proxy.count(INTROSPECTION);
  const before = asks();
  for (let i = 0; i < 3; i++) expect(await said(verifier, token)).toBe('good');
  expect(asks() - before).toBe(1);
  nowMs += 60_000;
  await until(async () => (await said(verifier, token)) === 'good' && asks() - before === 2);
});

test('no more verdicts are kept than it is told to keep', async () => {
  const h = await serveGateway({ count: 30 });
  const verifier = await follow(reached(h), { cacheMax: 7 });
  for (const { key } of [...h.demo.apiKey, ...h.demo.apiKey]) {
    expect(await said(verifier, key)).toBe('good');
    expect(verifier.status().cached).toBeLessThanOrEqual(7);
  }
  expect(verifier.status().cached).toBe(7);
});

test('what can be no credential is refused without asking', async () => {
  const h = await serveGateway();
  const { verifier, proxy } = await followThrough(reached(h));
  const asks = proxy.count(INTROSPECTION);
  const huge = 'a'.repeat(5_000_000);
  const odd = ['', ' ', 'a b', 'a\nb', 'a\0b', 'ä', '\u{1f511}', huge, `${huge}.${huge}.${huge}`];
  for (const presented of [...odd, undefined, null, 7, {}]) {
    expect(await said(verifier, presented as string)).toBe('invalid');
  }
  expect(proxy.count(INTROSPECTION) - asks).toBe(0);
});

test('a flood of secrets that nobody has leaves those that are known alone', async () => {
  const h = await serveGateway();
  const counted = { now: 0, most: 0 };
  const verifier = await follow(reached(h), {
    fetch: async (input, init) => {
      counted.most = Math.max(counted.most, ++counted.now);
      return await fetch(input, init).finally(() => {
        counted.now -= 1;
      });
    },
  });
  const key = h.demo.apiKey[0]?.key ?? '';
  expect(await said(verifier, key)).toBe('good');
  const flood = Array.from({ length: 20_000 }, (_, i) =>
    said(verifier, i % 2 ? `rgw_key_${crypto.randomUUID()}` : `a.b${i}.${crypto.randomUUID()}`),
  );
  const [token] = h.demo.accessToken;
  for (let i = 0; i < 100; i++) {
    expect([await said(verifier, key), await said(verifier, token?.token ?? '')]).toEqual([
      ...['good', 'good'],
    ]);
  }
  const verdicts = new Set(await Promise.all(flood));
  expect([...verdicts].sort()).toEqual(['invalid', 'unavailable']);
  expect(counted.most).toBeLessThan(30);
  expect(verifier.status()).toMatchObject({ live: true, cached: 1 });
  expect(await said(verifier, h.demo.apiKey[1]?.key ?? '')).toBe('good');
});
