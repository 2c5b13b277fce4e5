import { describe, expect, test } from 'vitest';
import { ATTEMPTS_MAX } from '../src/delivery/retry.ts';
import type { Harness } from './harness.ts';
import {
  deliveriesTo,
  failAttempts,
  look,
  makeHook,
  mutate,
  openReaching,
  until,
  untilAcknowledged,
} from './targets.ts';
import { namesTold, withStuck, withUnwell } from './unwell.ts';

/** Deliveries that have not arrived: tried again, or let be. */

describe('resumeTarget', () => {
  const resume = (h: Harness, { id: targetId }: { id: string }) =>
    mutate<object>(h, 'resumeTarget', { targetId }, 'resumed target { state stuck }');

  test('has what is stuck tried again from the first attempt, in order', async () => {
    const { h, clock, hook, ids, recover } = await withStuck(3);
    await failAttempts(h, clock, hook, ATTEMPTS_MAX);
    expect(await look(h, hook.id, 'state stuck pending')).toEqual({
      ...{ state: 'STUCK', stuck: 2, pending: 1 },
    });
    recover();
    const { length } = hook.receiver.received;
    expect(await resume(h, hook)).toMatchObject({ resumed: 2, target: { stuck: 0 } });
    const rows = await untilAcknowledged(h, hook, 3);
    expect(rows.slice(0, 2).map((row) => [row.attempts, row.stuck_at_ms])).toEqual([
      [1, null],
      [1, null],
    ]);
    const after = namesTold(hook).slice(length);
    // The third may have been on its way when the others came back.
    expect(after.filter((id) => id !== ids[2])).toEqual(ids.slice(0, 2));
    expect(await look(h, hook.id, 'state lastError')).toEqual({
      ...{ state: 'EFFECTIVE', lastError: null },
    });
  });

  test('has what waits tried at once', async () => {
    const { h, clock, hook, recover } = await withUnwell();
    await failAttempts(h, clock, hook, 5);
    const [first] = await deliveriesTo(h, hook);
    expect(Number(first?.next_attempt_at_ms) - clock.now()).toBeGreaterThan(7_000);
    recover();
    expect(await resume(h, hook)).toMatchObject({ resumed: 0 });
    const rows = await untilAcknowledged(h, hook, 2);
    expect(rows.map(({ attempts }) => attempts)).toEqual([6, 1]);
  });

  test('of one that owes nothing changes nothing', async () => {
    const h = await openReaching();
    const hook = await makeHook(h, 'hook');
    expect(await resume(h, hook)).toEqual({ resumed: 0, target: { state: 'EFFECTIVE', stuck: 0 } });
  });

  test('of one that is still unwell is stuck once more, and told once more', async () => {
    const { h, clock, hook } = await withStuck(1);
    const stuck = async () => (await h.ledger()).filter(({ action }) => action === 'stuck').length;
    expect(await stuck()).toBe(1);
    expect(await resume(h, hook)).toMatchObject({ resumed: 1 });
    await failAttempts(h, clock, hook, ATTEMPTS_MAX);
    await until(async () => expect(await stuck()).toBe(2));
  });
});

describe('closeDelivery', () => {
  const reason = 'told by telephone';
  const close = (h: Harness, targetId: string, revocationId: string, token?: string) =>
    mutate<object>(
      h,
      'closeDelivery',
      { targetId, revocationId, reason },
      'target { state pending stuck }',
      token,
    );

  test.each([
    ['stuck', withStuck],
    ['waiting', withUnwell],
  ])('lets what is %s be, says who and why, and the next goes on', async (_state, arrange) => {
    const { h, clock, hook, ids, recover } = await arrange();
    recover();
    const [id = '', next = ''] = ids;
    expect(await close(h, hook.id, id)).toHaveProperty('target');
    clock.advance(3_600_000);
    await untilAcknowledged(h, hook, 1);
    expect(namesTold(hook).at(-1)).toBe(next);
    const [closed, told] = await deliveriesTo(h, hook);
    expect(closed).toMatchObject({
      ...{ closed_by: 'demo', closed_reason: reason, acknowledged_at_ms: null },
      closed_at_ms: expect.any(Number),
    });
    expect(told?.closed_at_ms).toBeNull();
    expect(await look(h, hook.id, 'state pending stuck lastError')).toEqual({
      ...{ state: 'EFFECTIVE', pending: 0, stuck: 0, lastError: null },
    });
    expect((await h.ledger()).at(-1)).toMatchObject({
      ...{ action: 'close', kind: 'webhook', target: `hook/${id}`, target_id: hook.id },
      ...{ outcome: 'done', comment: reason, actor: 'demo' },
    });
    clock.advance(3_600_000);
    expect(await mutate(h, 'resumeTarget', { targetId: hook.id }, 'resumed')).toEqual({
      resumed: 0,
    });
    expect(namesTold(hook).filter((told) => told === id).length).toBe(closed?.attempts);
  });

  test('of what has arrived, or was closed, is refused and changes nothing', async () => {
    const { h, hook, ids, recover } = await withStuck();
    recover();
    await mutate(h, 'resumeTarget', { targetId: hook.id }, 'resumed');
    await untilAcknowledged(h, hook, 2);
    const before = await deliveriesTo(h, hook);
    expect(await close(h, hook.id, ids[0] ?? '')).toEqual({
      code: 'DELIVERY_FINISHED',
      message: 'The target has acknowledged this already.',
    });
    expect(await deliveriesTo(h, hook)).toEqual(before);
  });

  test('twice at once is done once', async () => {
    const { h, hook, ids } = await withStuck(1);
    const ask = () => close(h, hook.id, ids[0] ?? '');
    const answers = await Promise.all([ask(), ask(), ask()]);
    const done = answers.filter((answer) => 'target' in answer);
    expect(done).toHaveLength(1);
    const refused = { code: 'DELIVERY_FINISHED', message: 'This was closed already.' };
    expect(answers.filter((answer) => 'code' in answer)).toEqual([refused, refused]);
  });

  test('of an entry that the target was never owed finds nothing, and keeps nothing of it', async () => {
    const { h, hook, ids } = await withUnwell();
    const other = await makeHook(h, 'other');
    const pasted = `rgw_pat_${'canary'.repeat(6)}`;
    for (const [target, id = ''] of [
      [other, ids[0]],
      [hook, '0190dead-0000-7000-8000-00000000dead'],
      [hook, pasted],
    ] as const) {
      expect(await close(h, target.id, id)).toEqual({
        code: 'NOT_FOUND',
        message: 'No such delivery in your organization.',
      });
      expect((await h.ledger()).at(-1)?.target).toMatch(/^fingerprint:/);
    }
    expect(JSON.stringify(await h.ledger())).not.toContain('canary');
  });
});
