import { describe, expect, test } from 'vitest';
import { create, makeCredential, makeJwk, names } from './assigned.ts';
import { tokenWith } from './callers.ts';
import type { Harness } from './harness.ts';
import { listen } from './loopback.ts';
import {
  deliveriesTo,
  look,
  makeHook,
  mutate,
  open,
  openReaching,
  revokeKey,
  until,
  untilAcknowledged,
} from './targets.ts';
import { withStuck, withUnwell } from './unwell.ts';

/** What is done with a target once it is there: removed, renamed, moved, and by whom. */

const { projectName } = names;

describe('removeTarget', () => {
  const remove = (h: Harness, targetId: string) =>
    mutate<object>(h, 'removeTarget', { targetId }, 'target { id state pending stuck }');

  test('tells a webhook nothing more, and closes what it is owed', async () => {
    const { h, clock, hook, ids } = await withStuck(3);
    expect(await remove(h, hook.id)).toEqual({
      target: { id: hook.id, state: 'EFFECTIVE', pending: 0, stuck: 0 },
    });
    // One may have been on its way.
    const { length } = hook.receiver.received;
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

test('an environment is told with both secrets while it gets another', async () => {
  const h = await openReaching({ count: 0 });
  await makeCredential(h);
  await makeJwk(h);
  const receiver = await listen((response) => response.end());
  const input = { projectName, name: 'live', url: receiver.url };
  const asked = 'environment { id } secret';
  const made = await mutate<{ environment: { id: string }; secret: string }>(
    h,
    'createEnvironment',
    input,
    asked,
  );
  const targetId = made.environment.id;
  const rotated = await mutate<{ secret: string }>(h, 'rotateTargetSecret', { targetId }, 'secret');
  await create(h, 'assignJwkValidation', names);
  const [request, ...others] = receiver.received;
  if (request === undefined) throw new Error('nothing received');
  expect(others).toEqual([]);
  for (const secret of [made.secret, rotated.secret]) {
    expect(open(secret, request)).toMatchObject({ type: 'credential.updated' });
  }
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
