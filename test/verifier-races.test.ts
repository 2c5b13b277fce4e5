import { expect, test } from 'vitest';
import { follow, followThrough, makePoint, mutate, reached, said, until } from './enforcement.ts';
import { ISSUER } from './issuers.ts';
import { assignedJwt, basic, post, serveTrusting } from './oauth-clients.ts';
import { proxyTo } from './proxy.ts';

/** What happens at the gateway while its answer to an enforcement point is on its way. */

const INTROSPECTION = '/oauth/introspect';

test('a key that is revoked while the answer for it is on its way is refused', async () => {
  const h = await serveTrusting();
  const [key] = h.demo.apiKey;
  const { verifier, proxy } = await followThrough(reached(h));
  const held = proxy.hold(INTROSPECTION);
  const asked = [said(verifier, key?.key ?? ''), said(verifier, key?.key ?? '')];
  await until(() => held.waiting() === 1);
  const { applicationId, keyId } = key ?? {};
  await mutate(reached(h), 'revokeApiKey', { applicationId, keyId });
  await until(() => verifier.status().revokedIds === 1);
  held.release();
  expect(await Promise.all(asked)).toEqual(['revoked', 'revoked']);
  expect(verifier.status().cached).toBe(0);
  expect(await said(verifier, key?.key ?? '')).toBe('invalid');
});

test('what stands above it counts as it does itself', async () => {
  const h = await serveTrusting();
  const [token, sibling] = h.demo.serviceAccountToken;
  const { verifier, proxy } = await followThrough(reached(h));
  const held = proxy.hold(INTROSPECTION);
  const asked = [said(verifier, token?.token ?? ''), said(verifier, sibling?.token ?? '')];
  await until(() => held.waiting() === 2);
  const { serviceAccountSlug } = token ?? {};
  await mutate(reached(h), 'revokeServiceAccount', { serviceAccountSlug });
  await until(() => verifier.status().revokedIds === 1);
  held.release();
  expect(await Promise.all(asked)).toEqual(['revoked', 'good']);
  expect(verifier.status().cached).toBe(1);
});

test('a cut-off has every JWT of others that is on its way asked about anew', async () => {
  const h = await serveTrusting();
  const [token, sister] = [await h.trusted({ sub: 'ada' }), await h.trusted({ sub: 'bob' })];
  const { verifier, proxy } = await followThrough(reached(h));
  await said(verifier, h.demo.apiKey[0]?.key ?? '');
  const asks = proxy.count(INTROSPECTION);
  const held = proxy.hold(INTROSPECTION);
  const asked = [said(verifier, token), said(verifier, sister)];
  await until(() => held.waiting() === 2);
  const before = verifier.status().position ?? 0;
  await mutate(reached(h), 'revokeTrustedTokens', { issuer: ISSUER, subject: 'ada' });
  await until(() => (verifier.status().position ?? 0) > before);
  held.release();
  expect(await Promise.all(asked)).toEqual(['invalid', 'good']);
  expect(proxy.count(INTROSPECTION) - asks).toBe(4);
  // The key is none of others, and is still known.
  expect(await said(verifier, h.demo.apiKey[0]?.key ?? '')).toBe('good');
  expect(proxy.count(INTROSPECTION) - asks).toBe(4);
});

test('a cut-off by value ends only one, and the others are asked about once more', async () => {
  const h = await serveTrusting();
  const [first, second] = [await assignedJwt(h), await assignedJwt(h)];
  const { verifier, proxy } = await followThrough(reached(h));
  for (const { token } of [first, second]) expect(await said(verifier, token)).toBe('good');
  const asks = proxy.count(INTROSPECTION);
  await post(h, 'revoke', { token: first.token }, basic(h.demo.oauthClient));
  await until(async () => (await said(verifier, first.token)) === 'invalid');
  expect(await said(verifier, second.token)).toBe('good');
  expect(await said(verifier, second.token)).toBe('good');
  expect(proxy.count(INTROSPECTION) - asks).toBeGreaterThanOrEqual(2);
});

test('answers that are overtaken again and again end in no answer', async () => {
  const h = await serveTrusting();
  const token = await h.trusted();
  const { verifier, proxy } = await followThrough(reached(h), { timeoutMs: 10_000 });
  const asked = said(verifier, token);
  const asks = proxy.count(INTROSPECTION);
  // Each answer is held until a cut-off, of something else, has come.
  for (let i = 0; i < 3; i++) {
    const held = proxy.hold(INTROSPECTION);
    if (i === 0 && (await Promise.race([asked, Promise.resolve('pending')])) !== 'pending') break;
    await until(() => held.waiting() === 1);
    const before = verifier.status().position ?? 0;
    const input = { issuer: ISSUER, tokenId: `another-${i}` };
    await mutate(reached(h), 'revokeTrustedTokens', input);
    await until(() => (verifier.status().position ?? 0) > before);
    held.release();
  }
  expect(await asked).toBe('unavailable');
  expect(proxy.count(INTROSPECTION) - asks).toBe(3);
  expect(await said(verifier, token)).toBe('good');
});

test('an answer on its way while nothing current is known any more does not count', async () => {
  const h = await serveTrusting();
  const gateway = reached(h);
  const { token } = await makePoint(gateway);
  const [feed, answers] = [await proxyTo(h.url), await proxyTo(h.url)];
  const verifier = await follow(gateway, {
    ...{ token, staleAfterMs: 1_200, timeoutMs: 20_000 },
    fetch: (input, init) => {
      const { url } = String(input).includes('/feed') ? feed : answers;
      return fetch(String(input).replace(h.url, url), init);
    },
  });
  const [key] = h.demo.apiKey;
  const held = answers.hold(INTROSPECTION);
  const asked = said(verifier, key?.key ?? '');
  await until(() => held.waiting() === 1);
  await feed.cut();
  const { applicationId, keyId } = key ?? {};
  await mutate(gateway, 'revokeApiKey', { applicationId, keyId });
  await until(() => !verifier.status().live);
  held.release();
  expect(await asked).toBe('stale');
});

test('the same secret is asked about once, however many want to know', async () => {
  const h = await serveTrusting();
  const key = h.demo.apiKey[0]?.key ?? '';
  const { verifier, proxy } = await followThrough(reached(h));
  const asks = proxy.count(INTROSPECTION);
  const verdicts = await Promise.all(Array.from({ length: 200 }, () => said(verifier, key)));
  expect(new Set(verdicts)).toEqual(new Set(['good']));
  expect(proxy.count(INTROSPECTION) - asks).toBe(1);
});
