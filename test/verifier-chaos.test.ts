import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Verifier } from '../src/verifier/index.ts';
import { followThrough, mutate, reached, until } from './enforcement.ts';
import { serveGateway } from './oauth-clients.ts';
import type { LoopbackProxy } from './proxy.ts';

/** Revocations, verdicts and outages, all at once: nothing is accepted for longer than it may be. */

const staleAfterMs = 400;
/** The gateway tells its time a little after it has looked at the ledger. */
const SLACK_MS = 30;
const RUN_MS = 8_000;
const COUNT = 120;

/** Has the way to the gateway fail in every manner, again and again. */
async function disturb({ cut, restore, freeze, thaw, delayFeed }: LoopbackProxy, untilMs: number) {
  const aWhile = () => pause(50 + Math.random() * 700);
  const ways = [
    async () => {
      await cut();
      await aWhile();
      await restore();
    },
    async () => {
      freeze();
      await aWhile();
      thaw();
    },
    async () => {
      delayFeed(Math.random() * 600);
      await cut();
      await restore();
      await aWhile();
      delayFeed(0);
      await cut();
      await restore();
    },
  ];
  while (performance.now() < untilMs) {
    await ways[Math.floor(Math.random() * ways.length)]?.();
    await aWhile();
  }
}

test('whatever fails on the way, no verdict is older than it says', async () => {
  const h = await serveGateway({ count: COUNT });
  const endsAtMs = performance.now() + RUN_MS;
  const points = await Promise.all(
    (['strict', 'best-effort'] as const).map((whenStale) =>
      followThrough(reached(h), { staleAfterMs, whenStale, timeoutMs: 500 }),
    ),
  );
  const credentials = h.demo.apiKey.map(({ applicationId, keyId, key }, i) => ({
    // Every other is a JWT.
    secret: (i % 2 ? h.demo.accessToken[i]?.token : key) ?? '',
    end: () =>
      i % 2
        ? mutate(reached(h), 'revokeToken', { tokenId: h.demo.accessToken[i]?.tokenId })
        : mutate(reached(h), 'revokeApiKey', { applicationId, keyId }),
    revokedAtMs: Number.POSITIVE_INFINITY,
  }));
  const stay = new Set(credentials.slice(-20));
  const counts = { good: 0, refused: 0, stale: 0, tooOld: 0 };

  async function revokeAll() {
    for (const credential of credentials) {
      if (stay.has(credential)) continue;
      await credential.end();
      credential.revokedAtMs = performance.now();
      await pause(RUN_MS / COUNT);
    }
  }

  async function look(verifier: Verifier) {
    while (performance.now() < endsAtMs) {
      for (const { secret, revokedAtMs } of credentials) {
        const askedAtMs = performance.now();
        const verdict = await verifier.verify(secret);
        const forMs = verdict.ok && verdict.stale ? verdict.stale.forMs : staleAfterMs;
        if (!verdict.ok) counts.refused += 1;
        else if (verdict.stale) counts.stale += 1;
        else counts.good += 1;
        if (verdict.ok && askedAtMs - revokedAtMs > forMs + SLACK_MS) counts.tooOld += 1;
      }
      await pause(1);
    }
  }

  await Promise.all([
    revokeAll(),
    ...points.map(({ proxy }) => disturb(proxy, endsAtMs)),
    ...points.map(({ verifier }) => look(verifier)),
  ]);
  expect(counts).toMatchObject({ tooOld: 0 });
  for (const count of [counts.good, counts.refused, counts.stale]) expect(count).toBeGreaterThan(0);

  await until(() => points.every(({ verifier }) => verifier.status().live));
  for (const { verifier } of points) {
    for (const credential of credentials) {
      const verify = async () => (await verifier.verify(credential.secret)).ok;
      // The feed says that it is there less often than these verifiers want to hear it.
      if (stay.has(credential)) await until(verify);
      else expect(await verify()).toBe(false);
    }
    expect(verifier.status().reconnects).toBeGreaterThan(0);
  }
});
