import { describe, expect, test } from 'vitest';
import { REVOCATIONS_MAX } from '../src/targets/time-to-effect.ts';
import { past } from './engine.ts';
import type { Harness } from './harness.ts';
import { makeQuiet, owe } from './quiet.ts';
import { type Hook, look, makeHook, mutate, openReaching, revokeKey, until } from './targets.ts';

/** How fast a target learns of revocations. */

describe('time to effect', () => {
  const asked = (hours = '') => `timeToEffect${hours} { count p50Ms p90Ms p99Ms maxMs }`;
  const none = { count: 0, p50Ms: null, p90Ms: null, p99Ms: null, maxMs: null };

  /** Has a target acknowledge a revocation so long after it. */
  const acknowledge = (h: Harness, hook: Hook, ms: number) =>
    owe(h, hook, (atMs) => ({ acknowledged_at_ms: atMs + ms }));

  test.each<[string, number[], object]>([
    ['nothing', [], none],
    ['one', [7], { count: 1, p50Ms: 7, p90Ms: 7, p99Ms: 7, maxMs: 7 }],
    ['two', [9, 3], { count: 2, p50Ms: 3, p90Ms: 9, p99Ms: 9, maxMs: 9 }],
    [
      'a hundred',
      Array.from({ length: 100 }, (_, i) => 100 - i),
      { count: 100, p50Ms: 50, p90Ms: 90, p99Ms: 99, maxMs: 100 },
    ],
    [
      'a hundred and one',
      Array.from({ length: 101 }, (_, i) => i),
      { count: 101, p50Ms: 50, p90Ms: 90, p99Ms: 99, maxMs: 100 },
    ],
  ])('of %s is by nearest rank', async (_what, times, expected) => {
    const h = await openReaching();
    const [hook, other] = [await makeQuiet(h, 'hook'), await makeQuiet(h, 'other')];
    for (const ms of times) await acknowledge(h, hook, ms);
    const later = { next_attempt_at_ms: Date.now() + 3_600_000 };
    await owe(h, hook, later);
    await owe(h, hook, { closed_at_ms: Date.now() });
    expect(await look(h, hook.id, asked())).toEqual({ timeToEffect: expected });
    expect(await look(h, other.id, asked())).toEqual({ timeToEffect: none });
  });

  test('is of revocations within the window alone', async () => {
    let now = Date.now;
    const h = await openReaching({ now: () => now() });
    const hook = await makeHook(h, 'hook');
    await revokeKey(h);
    await mutate(h, 'testWebhook', { targetId: hook.id }, 'success');
    await until(async () =>
      expect(await look(h, hook.id, asked())).toMatchObject({ timeToEffect: { count: 1 } }),
    );
    const startedAtMs = Date.now();
    now = () => startedAtMs + 2 * 3_600_000;
    expect(await look(h, hook.id, asked('(hours: 1)'))).toEqual({ timeToEffect: none });
    expect(await look(h, hook.id, asked('(hours: 3)'))).toMatchObject({
      timeToEffect: { count: 1 },
    });
  });

  test.each([0, -1, 721])('looks back no %i hours', async (hours) => {
    const h = await openReaching();
    await makeQuiet(h, 'hook');
    const { errors } = await h.graphql(
      `{ me { targets { edges { node { timeToEffect(hours: ${hours}) { count } } } } } }`,
      {},
      h.demo.callers.admin,
    );
    expect(errors).toMatchObject([
      { message: 'hours must be from 1 to 720.', extensions: { code: 'BAD_USER_INPUT' } },
    ]);
  });

  test(`looks at ${REVOCATIONS_MAX} revocations, and does not take long for them`, async () => {
    const h = await openReaching();
    const hook = await makeQuiet(h, 'hook');
    const { seq } = await owe(h, hook, { acknowledged_at_ms: Date.now() });
    const other = await past(h.folder);
    const counted =
      'with recursive n(i) as (select 1 union all select i + 1 from n where i < 30000)';
    await other.all(
      `insert into ledger (seq, id, organization_id, at_ms, action, kind, target_id, target, outcome,
         actor, surface, request_id)
       ${counted}
       select seq + i, id || (100000 + i), organization_id, ${Date.now()}, action, kind, target_id, target,
         outcome, actor, surface, request_id
       from ledger, n where seq = ?`,
      seq,
    );
    await other.all(
      `insert into deliveries (seq, target_id, attempts, acknowledged_at_ms)
       ${counted} select ledger.seq, ?, 1, at_ms + i from ledger, n where ledger.seq = ${seq} + i`,
      hook.id,
    );
    const startedAtMs = performance.now();
    expect(await look(h, hook.id, asked())).toEqual({
      timeToEffect: {
        ...{ count: REVOCATIONS_MAX, p50Ms: 25_000, p90Ms: 29_000, p99Ms: 29_900, maxMs: 30_000 },
      },
    });
    expect(performance.now() - startedAtMs).toBeLessThan(500);
  });
});
