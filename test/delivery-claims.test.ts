import { expect, test } from 'vitest';
import { LEASE_MS } from '../src/delivery/claims.ts';
import { past } from './engine.ts';
import { makeHook, movableClock, openReaching, revokeKey, until } from './targets.ts';

/** The claim of a target, as its row has it. */

test('a claim comes with the revocation, is renewed while something is sent, and ends with the last of it', async () => {
  const h = await openReaching();
  const answers: (() => void)[] = [];
  const hook = await makeHook(h, 'hook', (response) => answers.push(() => response.end()));
  const claim = async () => {
    const [row] = await h.running.database.reader
      .selectFrom('targets')
      .select(['claimed_by', 'claimed_until_ms'])
      .where('id', '=', hook.id)
      .execute();
    return { by: row?.claimed_by, untilMs: row?.claimed_until_ms ?? 0 };
  };
  expect(await claim()).toEqual({ by: null, untilMs: 0 });
  await revokeKey(h, 0);
  const first = await claim();
  expect(first.by).toMatch(/./);
  expect(first.untilMs).toBeLessThanOrEqual(Date.now() + LEASE_MS);
  await revokeKey(h, 1);
  const renewed = async () => expect((await claim()).untilMs).toBeGreaterThan(first.untilMs);
  await until(renewed, LEASE_MS);
  expect((await claim()).by).toBe(first.by);
  await until(() => expect(answers).toHaveLength(1));
  answers[0]?.();
  await until(() => expect(answers).toHaveLength(2));
  expect((await claim()).by).toBe(first.by);
  answers[1]?.();
  await until(async () => expect(await claim()).toEqual({ by: null, untilMs: 0 }));
});

test.each([
  ['over', -1, true],
  ['not over', LEASE_MS - 1, false],
  ['further ahead than one can be', 3_600_000, true],
])('where the claim of another gateway is %s', async (_what, aheadMs, atOnce) => {
  const clock = movableClock();
  const h = await openReaching({ now: clock.now });
  const hook = await makeHook(h, 'hook');
  const db = await past(h.folder);
  await db.all(
    "update targets set claimed_by = 'another', claimed_until_ms = ? where id = ?",
    clock.now() + aheadMs,
    hook.id,
  );
  const began = performance.now();
  await revokeKey(h);
  await until(() => expect(hook.told()).toHaveLength(1));
  if (!atOnce) expect(performance.now() - began).toBeGreaterThan(LEASE_MS - 1_000);
});
