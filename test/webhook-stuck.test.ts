import type { ServerResponse } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { SCAN_MS } from '../src/delivery/deliver.ts';
import { ATTEMPTS_MAX } from '../src/delivery/retry.ts';
import {
  deliveriesTo,
  failAttempts,
  look,
  makeHook,
  movableClock,
  openReaching,
  revokeKey,
  until,
  untilAcknowledged,
} from './targets.ts';

/** A webhook that fails for good, or is slow: somebody is told, and not for ever. */

describe('one that fails for good', () => {
  test('is stuck after the last attempt, which others are told once; the next goes on', async () => {
    const clock = movableClock();
    const h = await openReaching({ now: clock.now });
    const refused = new Set<string>();
    const bad = await makeHook(h, 'bad', (response, { headers }) => {
      response.writeHead(refused.has(String(headers['webhook-id'])) ? 400 : 204).end();
    });
    const other = await makeHook(h, 'other', undefined, { events: ['TARGET_STUCK'] });
    // Ids are made before anything is sent.
    const { newId } = h.running.gateway;
    Object.assign(h.running.gateway, {
      newId: () => {
        const id = newId();
        if (refused.size < 2) refused.add(id);
        return id;
      },
    });
    const ids = [await revokeKey(h, 0), await revokeKey(h, 1), await revokeKey(h, 2)];
    expect([...refused]).toEqual(ids.slice(0, 2));
    await failAttempts(h, clock, bad, ATTEMPTS_MAX);
    const [first] = await deliveriesTo(h, bad);
    expect(first).toMatchObject({
      ...{ attempts: ATTEMPTS_MAX, last_error: 'Answered 400', next_attempt_at_ms: null },
      ...{ stuck_at_ms: expect.any(Number), acknowledged_at_ms: null },
    });
    await untilAcknowledged(h, other, 1);
    const told = JSON.parse(other.receiver.received[0]?.body ?? '') as object;
    expect(told).toMatchObject({
      type: 'target.stuck',
      data: {
        ...{ kind: 'webhook', targetId: bad.id, target: 'bad', actor: 'gateway' },
        comment: `After ${ATTEMPTS_MAX} attempts: Answered 400`,
      },
    });

    await failAttempts(h, clock, bad, ATTEMPTS_MAX);
    await until(async () => {
      const rows = await deliveriesTo(h, bad);
      expect(rows.map((row) => row.stuck_at_ms !== null).slice(0, 3)).toEqual([true, true, false]);
      expect(rows[2]?.acknowledged_at_ms).not.toBeNull();
    });
    expect(await deliveriesTo(h, other)).toHaveLength(1);
    const stuck = (await h.ledger()).filter(({ action }) => action === 'stuck');
    expect(stuck).toHaveLength(1);
    expect(await look(h, bad.id, 'state stuck')).toEqual({ state: 'STUCK', stuck: 2 });
  });

  test('is not told of itself without end', async () => {
    const clock = movableClock();
    const h = await openReaching({ now: clock.now });
    const down = await makeHook(h, 'down', (response) => response.writeHead(500).end());
    const also = await makeHook(h, 'also', (response) => response.writeHead(500).end());
    await revokeKey(h);
    for (let i = 0; i < 6; i++) {
      for (const hook of [down, also]) {
        const open = (await deliveriesTo(h, hook)).some((row) => row.stuck_at_ms === null);
        if (open) await failAttempts(h, clock, hook, ATTEMPTS_MAX);
      }
    }
    for (const hook of [down, also]) {
      expect(await look(h, hook.id, 'pending')).toEqual({ pending: 0 });
    }
    const count = (action: string) => async () =>
      (await h.ledger()).filter((entry) => entry.action === action).length;
    expect(await count('stuck')()).toBe(2);
    expect(await count('late')()).toBeLessThanOrEqual(2);
  }, 60_000);
});

describe('the bound', () => {
  const bound = { config: { effectBoundMs: 300 } };

  test('is broken by one that is slow: others are told once, and again after it has caught up', async () => {
    const h = await openReaching(bound);
    let well = false;
    const slow = await makeHook(
      h,
      'slow',
      (response) => response.writeHead(well ? 204 : 500).end(),
      { events: ['CREDENTIAL_REVOKED'] },
    );
    const other = await makeHook(h, 'other', undefined, { events: ['TARGET_LATE'] });
    const fall = async (i: number) => {
      well = false;
      const { at_ms } = await revokeKey(h, i).then(
        async () => (await h.ledger()).at(-1) ?? { at_ms: 0 },
      );
      await untilAcknowledged(h, other, i + 1);
      expect(other.told().at(-1)).toMatchObject({
        type: 'target.late',
        data: { kind: 'webhook', targetId: slow.id, target: 'slow', actor: 'gateway' },
      });
      const lateSince = new Date(at_ms).toISOString();
      expect(other.told().at(-1)?.data.comment).toBe(
        `Not acknowledged within 300 ms: waiting since ${lateSince}`,
      );
      expect(await look(h, slow.id, 'lateSince')).toEqual({ lateSince });
      well = true;
      await until(async () =>
        expect(await look(h, slow.id, 'state lateSince')).toEqual({
          ...{ state: 'EFFECTIVE', lateSince: null },
        }),
      );
    };
    await fall(0);
    await fall(1);
    expect((await h.ledger()).filter(({ action }) => action === 'late')).toHaveLength(2);
  });

  test('is not broken by what is told of it: who is slow is not late with that for ever', async () => {
    const h = await openReaching({ config: { effectBoundMs: 1_500 } });
    const held: ServerResponse[] = [];
    const slow = await makeHook(h, 'slow', (response) => held.push(response));
    await revokeKey(h);
    const late = async () => (await h.ledger()).filter(({ action }) => action === 'late').length;
    await until(async () => expect(await late()).toBe(1));
    held[0]?.end();
    // Who is late is not told of it: that would hold up what it has yet to learn.
    await until(async () =>
      expect(await look(h, slow.id, 'pending lateSince')).toEqual({ pending: 0, lateSince: null }),
    );
    await setTimeout(1_500 + 2 * SCAN_MS);
    expect(slow.receiver.received).toHaveLength(1);
    expect(await late()).toBe(1);
  });
});
