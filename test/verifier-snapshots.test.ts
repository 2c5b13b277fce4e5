import { expect, test } from 'vitest';
import { caughtUp, follow, followThrough, mutate, reached, said, until } from './enforcement.ts';
import type { Harness } from './harness.ts';
import { organizationRow } from './kinds.ts';
import { serveGateway } from './oauth-clients.ts';

/** The feed begins anew, with a snapshot: what was kept before it counts no more, since it names no secrets. */

const INTROSPECTION = '/oauth/introspect';

const revokeKey = (h: Harness & { url: string }, i: number) => {
  const { applicationId, keyId } = h.demo.apiKey[i] ?? {};
  return mutate(reached(h), 'revokeApiKey', { applicationId, keyId });
};

test('what was kept is asked about anew', async () => {
  const h = await serveGateway();
  const { verifier, proxy } = await followThrough(reached(h));
  const keys = h.demo.apiKey.map(({ key }) => key);
  for (const key of keys) expect(await said(verifier, key)).toBe('good');
  proxy.forgetPositions();
  await proxy.cut();
  await revokeKey(h, 0);
  await proxy.restore();
  await until(() => verifier.status().reconnects === 1 && verifier.status().cached === 0);
  expect(await Promise.all(keys.map((key) => said(verifier, key)))).toEqual([
    ...['invalid', 'good', 'good'],
  ]);
});

test('an answer that is on its way meanwhile is asked for anew', async () => {
  const h = await serveGateway();
  const { verifier, proxy } = await followThrough(reached(h), { timeoutMs: 20_000 });
  expect(await said(verifier, h.demo.apiKey[1]?.key ?? '')).toBe('good');
  proxy.forgetPositions();
  const held = proxy.hold(INTROSPECTION);
  const key = h.demo.apiKey[0]?.key ?? '';
  const asked = said(verifier, key);
  await until(() => held.waiting() === 1);
  await revokeKey(h, 2);
  await caughtUp(verifier, h);
  const before = verifier.status().reconnects;
  // What is asked stands.
  proxy.endFeeds();
  await revokeKey(h, 0);
  await until(() => verifier.status().reconnects > before && verifier.status().cached === 0);
  held.release();
  expect(await asked).toMatch(/^(?:invalid|revoked)$/);
  expect(await said(verifier, key)).toBe('invalid');
});

test('it is asked for once the changes that are remembered become too many', async () => {
  const h = await serveGateway();
  const organization = await organizationRow(h, 'acme');
  const verifier = await follow(reached(h));
  const { revokedIds } = verifier.status();
  expect(await said(verifier, h.demo.apiKey[0]?.key ?? '')).toBe('good');
  // As many revocations of rows that JWTs do not stand on, and that no snapshot names.
  const { seq } = (await h.ledger()).at(-1) ?? { seq: 0 };
  await h.running.gateway.writes.run(async (tx) => {
    for (let i = 0; i < 100_100; i += 100) {
      const entries = Array.from({ length: 100 }, (_, n) => ({
        ...{ seq: seq + 1 + i + n, id: crypto.randomUUID(), at_ms: Date.now() },
        ...{ organization_id: organization.id, action: 'revoke', kind: 'api-key' },
        ...{ target_id: crypto.randomUUID(), target: 'many', outcome: 'done', refusal: null },
        ...{ reason: null, comment: null, actor: 'a test', actor_id: null },
        ...{ surface: 'graphql', request_id: 'req' },
      }));
      await tx.insertInto('ledger').values(entries).execute();
    }
  });
  await until(() => verifier.status().revokedIds > revokedIds);
  await caughtUp(verifier, h);
  expect(verifier.status().reconnects).toBeGreaterThan(0);
  expect(verifier.status().cached).toBe(0);
  expect(verifier.status().revokedIds).toBeLessThan(1_000);
  await until(() => verifier.status().live);
  expect(await said(verifier, h.demo.apiKey[0]?.key ?? '')).toBe('good');
});
