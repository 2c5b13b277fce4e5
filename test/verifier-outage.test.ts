import { setTimeout as pause } from 'node:timers/promises';
import { decodeJwt } from 'jose';
import { describe, expect, test } from 'vitest';
import type { Demo } from '../db/demo.ts';
import { createVerifier } from '../src/verifier/index.ts';
import {
  follow,
  followThrough,
  makePoint,
  mutate,
  type Reached,
  reached,
  said,
  until,
} from './enforcement.ts';
import { serveGateway } from './oauth-clients.ts';
import { gatewayJson, newFolder, type Settings, serve, settingsIn } from './processes.ts';

/** The gateway out of reach: what each way of `whenStale` makes of it, and that nothing is missed behind it. */

const staleAfterMs = 1_200;

/** Revokes a key of the demo. */
const revokeKey = (gateway: Reached, key: Demo['apiKey'][number] | undefined) =>
  mutate(gateway, 'revokeApiKey', { applicationId: key?.applicationId, keyId: key?.keyId });

describe.each(['cut', 'freeze'] as const)('a proxy that does %s', (how) => {
  test('strict refuses everything until it is back, and then what was revoked meanwhile', async () => {
    const h = await serveGateway();
    const { apiKey, accessToken } = h.demo;
    const { verifier, proxy } = await followThrough(reached(h), { staleAfterMs });
    const secrets = [apiKey[0]?.key, apiKey[1]?.key, accessToken[0]?.token, accessToken[1]?.token];
    const all = () => Promise.all(secrets.map((secret = '') => said(verifier, secret)));
    expect(await all()).toEqual(['good', 'good', 'good', 'good']);

    await proxy[how]();
    await revokeKey(reached(h), apiKey[0]);
    await mutate(reached(h), 'revokeToken', { tokenId: accessToken[0]?.tokenId });
    await until(() => !verifier.status().live);
    expect(await all()).toEqual(['stale', 'stale', 'stale', 'stale']);
    expect(verifier.status()).toMatchObject({ live: false, cached: 2 });
    expect(verifier.status().staleForMs).toBeGreaterThan(staleAfterMs);
    await until(() => verifier.status().problem !== undefined);

    await (how === 'cut' ? proxy.restore() : proxy.thaw());
    await until(() => verifier.status().live);
    expect(await all()).toEqual(['revoked', 'good', 'revoked', 'good']);
    expect(verifier.status()).toMatchObject({ live: true, staleForMs: 0, problem: undefined });
    expect(verifier.status().reconnects).toBeGreaterThan(0);
  });

  test('best-effort accepts what it knows, and says how old that is', async () => {
    const h = await serveGateway();
    const { apiKey, accessToken, serviceAccountToken } = h.demo;
    const options = { staleAfterMs, whenStale: 'best-effort', timeoutMs: 300 } as const;
    const { verifier, proxy } = await followThrough(reached(h), options);
    const [key = '', token = ''] = [apiKey[0]?.key, accessToken[0]?.token];
    expect(await said(verifier, key)).toBe('good');

    await proxy[how]();
    await revokeKey(reached(h), apiKey[0]);
    await until(() => !verifier.status().live);
    for (const secret of [key, token]) {
      const verdict = await verifier.verify(secret);
      expect(verdict).toMatchObject({ ok: true, stale: { forMs: expect.any(Number) } });
      expect((verdict as { stale: { forMs: number } }).stale.forMs).toBeGreaterThan(staleAfterMs);
    }
    // Nothing is known of this one, and nobody can be asked.
    expect(await said(verifier, serviceAccountToken[0]?.token ?? '')).toBe('unavailable');
    expect(await said(verifier, `${token.slice(0, -8)}AAAAAAAA`)).toBe('invalid');

    await (how === 'cut' ? proxy.restore() : proxy.thaw());
    await until(() => verifier.status().live);
    expect(await said(verifier, key)).toBe('revoked');
    expect(await verifier.verify(token)).toMatchObject({ ok: true, stale: false });
  });
});

test('a feed that comes ever later, but comes, is not taken for current', async () => {
  const h = await serveGateway();
  const { verifier, proxy } = await followThrough(reached(h), { staleAfterMs: 1_000 });
  const [key] = h.demo.apiKey;
  expect(await said(verifier, key?.key ?? '')).toBe('good');
  // It speaks every 500 ms, and is never silent for longer than 800.
  for (let delayMs = 300; delayMs <= 900; delayMs += 300) {
    proxy.delayFeed(delayMs);
    await pause(500);
  }
  await until(() => !verifier.status().live);
  proxy.delayFeed(3_000);
  await revokeKey(reached(h), key);
  await pause(1_000);
  for (const endsAtMs = performance.now() + 4_000; performance.now() < endsAtMs; ) {
    expect(await said(verifier, key?.key ?? '')).not.toBe('good');
    await pause(20);
  }
  proxy.delayFeed(0);
  await until(() => verifier.status().live);
  expect(await said(verifier, key?.key ?? '')).toBe('revoked');
});

/** A gateway as a process, filled, with a verifier of each way. */
async function openProcess() {
  const folder = newFolder();
  const settings: Settings = { ...settingsIn(folder), LOG_LEVEL: 'warn' };
  const demo = await gatewayJson<Demo>(settings, 'demo', '--count', '20');
  const first = await serve(settings);
  const { port } = new URL(first.url);
  const gateway = { url: `http://127.0.0.1:${port}`, admin: demo.callers.admin };
  const again = () => serve({ ...settings, PORT: port });
  return { demo, first, gateway, again };
}

test.each(['SIGKILL', 'SIGTERM'] as const)(
  'the gateway ends by %s and starts anew: no revocation is missed',
  async (signal) => {
    const { demo, first, gateway, again } = await openProcess();
    const strict = await follow(gateway, { staleAfterMs });
    const lenient = await follow(gateway, { staleAfterMs, whenStale: 'best-effort' });
    const keys = demo.apiKey.map(({ key }) => key);
    for (const key of keys) {
      expect([await said(strict, key), await said(lenient, key)]).toEqual(['good', 'good']);
    }

    // The last answers are read, and then it is gone.
    const revoked = demo.apiKey.slice(0, 10);
    for (const key of revoked) await revokeKey(gateway, key);
    first.kill(signal);
    await first.ended;
    await until(() => !strict.status().live && !lenient.status().live);
    expect(await said(strict, keys[15] ?? '')).toBe('stale');
    expect(await lenient.verify(keys[15] ?? '')).toMatchObject({
      ok: true,
      stale: { forMs: expect.any(Number) },
    });

    const second = await again();
    await until(() => strict.status().live && lenient.status().live);
    for (const verifier of [strict, lenient]) {
      const verdicts = await Promise.all(keys.map((key) => said(verifier, key)));
      expect(verdicts).toEqual(keys.map((_key, i) => (i < 10 ? 'revoked' : 'good')));
    }
    second.kill('SIGTERM');
    await second.ended;
  },
);

test('a gateway that is not there yet is waited for', async () => {
  const { demo, first, gateway, again } = await openProcess();
  const { token } = await makePoint(gateway);
  first.kill('SIGTERM');
  await first.ended;
  const verifier = createVerifier({ ...{ url: gateway.url, token }, whenStale: 'best-effort' });
  const ready = verifier.ready();
  await until(() => verifier.status().problem !== undefined);
  expect(verifier.status()).toMatchObject({ live: false, position: undefined });
  expect(await said(verifier, demo.apiKey[0]?.key ?? '')).toBe('unavailable');
  const second = await again();
  await ready;
  expect(await said(verifier, demo.apiKey[0]?.key ?? '')).toBe('good');
  expect(decodeJwt(demo.callers.viewer)).toHaveProperty('chain');
  await verifier.close();
  second.kill('SIGTERM');
});
