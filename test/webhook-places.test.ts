import { expect, test } from 'vitest';
import { IN_ORDER_ATTEMPTS_MAX } from '../src/delivery/open.ts';
import { OUTAGE_MS } from '../src/delivery/record.ts';
import {
  deliveriesTo,
  failAttempts,
  makeHook,
  movableClock,
  openReaching,
  revokeKey,
  until,
  untilAcknowledged,
} from './targets.ts';
import { namesTold } from './unwell.ts';

/** One delivery that fails holds its place for a while, and then lets others pass. */

test('what a webhook cannot take is passed after some attempts', async () => {
  const clock = movableClock();
  const h = await openReaching({ count: 5, now: clock.now, config: { effectBoundMs: 86_400_000 } });
  let told = 0;
  let poison: unknown;
  const hook = await makeHook(h, 'hook', (response, { headers }) => {
    if (++told === 2) poison = headers['webhook-id'];
    response.writeHead(headers['webhook-id'] === poison ? 400 : 204).end();
  });
  await revokeKey(h, 4);
  await untilAcknowledged(h, hook, 1);
  const ids = [await revokeKey(h, 0), await revokeKey(h, 1), await revokeKey(h, 2)];
  await failAttempts(h, clock, hook, IN_ORDER_ATTEMPTS_MAX - 1);
  expect(new Set(namesTold(hook).slice(1))).toEqual(new Set([ids[0]]));
  await failAttempts(h, clock, hook, IN_ORDER_ATTEMPTS_MAX);
  await untilAcknowledged(h, hook, 3);
  expect(namesTold(hook).slice(-2)).toEqual(ids.slice(1));
  // It goes on by itself, and others go on beside it.
  await failAttempts(h, clock, hook, IN_ORDER_ATTEMPTS_MAX + 2);
  await revokeKey(h, 3);
  await untilAcknowledged(h, hook, 4);
  const [, refused] = await deliveriesTo(h, hook);
  expect(refused).toMatchObject({ stuck_at_ms: null, acknowledged_at_ms: null });
});

test('a webhook that is back has all that waits at once', async () => {
  const clock = movableClock();
  const h = await openReaching({ count: 5, now: clock.now, config: { effectBoundMs: 86_400_000 } });
  let well = true;
  const hook = await makeHook(h, 'hook', (response) => {
    response.writeHead(well ? 204 : 503).end();
  });
  const before = await revokeKey(h, 0);
  await untilAcknowledged(h, hook, 1);
  well = false;
  const ids = [await revokeKey(h, 1), await revokeKey(h, 2)];
  await failAttempts(h, clock, hook, IN_ORDER_ATTEMPTS_MAX + 4);
  await until(async () => {
    const rows = await deliveriesTo(h, hook);
    expect(rows.at(-1)?.attempts).toBeGreaterThan(0);
  });
  clock.advance(OUTAGE_MS + 1);
  well = true;
  const told = namesTold(hook).length;
  ids.push(await revokeKey(h, 3));
  // Nothing but this new one is due, and with it comes all else.
  await untilAcknowledged(h, hook, 4);
  const after = namesTold(hook).slice(told);
  expect(after.toSorted()).toEqual(ids.toSorted());
  expect(before).not.toBe(ids[0]);
});
