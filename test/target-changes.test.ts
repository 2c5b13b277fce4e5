import { describe, expect, test } from 'vitest';
import { ATTEMPTS_MAX } from '../src/delivery/lane.ts';
import { create, makeCredential, makeJwk, names } from './assigned.ts';
import { tokenWith } from './callers.ts';
import type { Harness } from './harness.ts';
import { listen } from './loopback.ts';
import {
  deliveriesTo,
  failAttempts,
  type Hook,
  look,
  makeHook,
  movableClock,
  mutate,
  openReaching,
  revokeKey,
  until,
  untilAcknowledged,
} from './targets.ts';

/** What is done with a target once it is there: resumed, closed, removed, and by whom. */

const { projectName } = names;

/** A webhook that is unwell until it is said. */
async function withUnwell(count = 2) {
  const clock = movableClock();
  const h = await openReaching({ now: clock.now });
  let well = false;
  const hook = await makeHook(h, 'hook', (r) => r.writeHead(well ? 204 : 500).end(), {
    events: ['CREDENTIAL_REVOKED'],
  });
  const ids: string[] = [];
  for (let i = 0; i < count; i++) ids.push(await revokeKey(h, i));
  await failAttempts(h, clock, hook, 1);
  const recover = () => {
    well = true;
  };
  return { h, clock, hook, ids, recover };
}

/** The same, with its first delivery stuck. */
async function withStuck(count = 2) {
  const made = await withUnwell(count);
  await failAttempts(made.h, made.clock, made.hook, ATTEMPTS_MAX);
  return made;
}

const namesTold = (hook: Hook) =>
  hook.receiver.received.map(({ headers }) => headers['webhook-id']);

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
    await failAttempts(h, clock, hook, 9);
    const [first] = await deliveriesTo(h, hook);
    expect(Number(first?.next_attempt_at_ms) - clock.now()).toBeGreaterThan(60_000);
    recover();
    expect(await resume(h, hook)).toMatchObject({ resumed: 0 });
    const rows = await untilAcknowledged(h, hook, 2);
    expect(rows.map(({ attempts }) => attempts)).toEqual([10, 1]);
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

  test('finds what is no revocation while it is not finished', async () => {
    const clock = movableClock();
    const h = await openReaching({ now: clock.now });
    const hook = await makeHook(h, 'hook', (response) => response.writeHead(500).end());
    const asked = 'entryId';
    const { entryId } = await mutate<{ entryId: string }>(
      h,
      'testWebhook',
      { targetId: hook.id },
      asked,
    );
    expect(await close(h, hook.id, entryId)).toHaveProperty('target');
    expect(await close(h, hook.id, entryId)).toMatchObject({ code: 'NOT_FOUND' });
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

describe('removeTarget', () => {
  const remove = (h: Harness, targetId: string) =>
    mutate<object>(h, 'removeTarget', { targetId }, 'target { id state pending stuck }');

  test('tells a webhook nothing more, and closes what it is owed', async () => {
    const { h, clock, hook, ids } = await withStuck(3);
    const { length } = hook.receiver.received;
    expect(await remove(h, hook.id)).toEqual({
      target: { id: hook.id, state: 'EFFECTIVE', pending: 0, stuck: 0 },
    });
    const rows = await deliveriesTo(h, hook);
    expect(rows).toHaveLength(ids.length);
    for (const row of rows) {
      expect(row).toMatchObject({ closed_by: 'demo', closed_reason: 'The target was removed' });
    }
    clock.advance(3_600_000);
    const other = await makeHook(h, 'hook');
    await mutate(h, 'testWebhook', { targetId: other.id }, 'success');
    expect(hook.receiver.received.length - length).toBeLessThanOrEqual(1);
    const gone = hook.receiver.received.length;
    for (const mutation of ['removeTarget', 'resumeTarget', 'testWebhook']) {
      expect(await mutate(h, mutation, { targetId: hook.id }, '__typename')).toMatchObject({
        code: 'NOT_FOUND',
      });
    }
    expect(hook.receiver.received).toHaveLength(gone);
  });

  test('stops what is on its way behind the first', async () => {
    const h = await openReaching();
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const hook = await makeHook(h, 'hook', async (response) => {
      await held;
      response.end();
    });
    for (let i = 0; i < 3; i++) await revokeKey(h, i);
    await until(() => expect(hook.receiver.received).toHaveLength(1));
    await remove(h, hook.id);
    release();
    const other = await makeHook(h, 'other');
    await mutate(h, 'testWebhook', { targetId: other.id }, 'success');
    await h.running.gateway.delivery.stop();
    expect(hook.receiver.received).toHaveLength(1);
    for (const row of await deliveriesTo(h, hook)) expect(row.acknowledged_at_ms).toBeNull();
  });

  test('takes an environment from its project: it is told of no change', async () => {
    const h = await openReaching({ count: 0 });
    await makeCredential(h);
    const receiver = await listen((response) => response.end());
    const input = { projectName, name: 'live', url: receiver.url };
    const made = await mutate<{ environment: { id: string } }>(
      h,
      'createEnvironment',
      input,
      'environment { id }',
    );
    expect(await look(h, made.environment.id, 'kind name url events kinds')).toEqual({
      ...{ kind: 'ENVIRONMENT', name: 'live', url: receiver.url, events: null, kinds: null },
    });
    expect(await remove(h, made.environment.id)).toHaveProperty('target');
    expect((await h.ledger()).at(-1)).toMatchObject({
      ...{ action: 'remove', kind: 'environment', target: `${projectName}/live` },
    });
    await makeJwk(h);
    await create(h, 'assignJwkValidation', names);
    expect(receiver.received).toEqual([]);
    // Its name is free again.
    expect(await mutate(h, 'createEnvironment', input, 'environment { id }')).toHaveProperty(
      'environment',
    );
  });
});

/** Adds an enforcement point, as its token's holder would find it. */
async function makePoint(h: Harness): Promise<string> {
  const { enforcementPoint } = await mutate<{ enforcementPoint: { id: string } }>(
    h,
    'createEnforcementPoint',
    { name: 'edge' },
    'enforcementPoint { id }',
  );
  return enforcementPoint.id;
}

test('an enforcement point is no webhook: each no says what to do', async () => {
  const h = await openReaching();
  const targetId = await makePoint(h);
  expect(await look(h, targetId, 'kind name url')).toEqual({
    ...{ kind: 'ENFORCEMENT_POINT', name: 'edge', url: null },
  });
  expect(await mutate(h, 'removeTarget', { targetId }, '__typename')).toEqual({
    code: 'WRONG_KIND',
    message: 'An enforcement point is removed by revokeEnforcementPoint.',
  });
  expect(await mutate(h, 'rotateTargetSecret', { targetId }, 'secret')).toMatchObject({
    code: 'WRONG_KIND',
    message: expect.stringContaining('revokeEnforcementPoint'),
  });
  for (const mutation of ['testWebhook', 'updateWebhook']) {
    expect(await mutate(h, mutation, { targetId }, '__typename')).toEqual({
      code: 'NOT_FOUND',
      message: 'No such webhook in your organization.',
    });
  }
  const id = await revokeKey(h);
  const input = { targetId, revocationId: id, reason: 'it is switched off' };
  expect(await look(h, targetId, 'state pending')).toEqual({ state: 'PENDING', pending: 1 });
  expect(await mutate(h, 'closeDelivery', input, 'target { state }')).toEqual({
    target: { state: 'EFFECTIVE' },
  });
});

describe('who may manage targets of one project', () => {
  test.each<[string, string[], boolean]>([
    ['this project', [`target:manage@${projectName}`], true],
    ['every project', ['target:manage'], true],
    ['another project', ['target:manage@elsewhere'], false],
    ['nothing', ['project:read'], false],
  ])('in %s may rotate the secret of its environments: %s', async (_where, held, may) => {
    const h = await openReaching({ count: 0 });
    await makeCredential(h);
    const made = await mutate<{ environment: { id: string } }>(
      h,
      'createEnvironment',
      { projectName, name: 'live', url: 'http://127.0.0.1:8/' },
      'environment { id }',
    );
    const token = await tokenWith(h, held);
    const targetId = made.environment.id;
    const rotated = await mutate(h, 'rotateTargetSecret', { targetId }, 'secret', token);
    expect(rotated.code).toBe(may ? undefined : 'PERMISSION_DENIED');
    const hook = await makeHook(h, 'hook');
    const { code } = await mutate(h, 'rotateTargetSecret', { targetId: hook.id }, 'secret', token);
    expect(code).toBe(held.includes('target:manage') ? undefined : 'PERMISSION_DENIED');
  });
});

test('a name that is taken is no new name of a webhook; its own is', async () => {
  const h = await openReaching();
  const hook = await makeHook(h, 'hook');
  await makeHook(h, 'other');
  const rename = (name: string) =>
    mutate(h, 'updateWebhook', { targetId: hook.id, name }, 'webhook { name }');
  expect(await rename('other')).toMatchObject({ code: 'NAME_TAKEN' });
  expect(await rename('hook')).toEqual({ webhook: { name: 'hook' } });
});

test('what a webhook is owed goes to its new URL', async () => {
  const { h, hook, ids } = await withUnwell();
  const moved = await listen((response) => response.end());
  await mutate(h, 'updateWebhook', { targetId: hook.id, url: moved.url }, 'webhook { url }');
  await mutate(h, 'resumeTarget', { targetId: hook.id }, 'resumed');
  await untilAcknowledged(h, hook, 2);
  expect(moved.received.map(({ headers }) => headers['webhook-id'])).toEqual(ids);
});
