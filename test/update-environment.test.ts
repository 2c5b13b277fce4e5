import { describe, expect, test } from 'vitest';
import { create, names } from './assigned.ts';
import { tokenWith } from './callers.ts';
import type { Harness } from './harness.ts';
import { listen } from './loopback.ts';
import {
  deliveriesTo,
  look,
  makeHook,
  mutate,
  openReaching,
  untilAcknowledged,
} from './targets.ts';
import { openWithCredential, tell, told } from './told.ts';

/** An environment that moves, or has another name: it is still owed what it was. */

const { projectName, username } = names;

/** Makes an environment at which nobody listens; its id. */
async function makeEnvironment(h: Harness, name: string, project = projectName): Promise<string> {
  const input = { projectName: project, name, url: 'http://127.0.0.1:8/' };
  return (await create(h, 'createEnvironment', input)).shown.id;
}

const update = (h: Harness, input: object, token?: string) =>
  mutate<object>(h, 'updateEnvironment', input, 'environment { kind name url }', token);

test('what it is owed goes to its new URL, with its name and its secret', async () => {
  const { h, environments } = await openWithCredential(500);
  const [environment] = environments;
  if (environment === undefined) throw new Error('There is no environment');
  const { name, receiver, secret } = environment;
  expect((await tell(h, 'assignJwkValidation', names)).success).toBe(false);
  const { id } = await h.running.database.reader
    .selectFrom('targets')
    .select('id')
    .where('name', '=', name)
    .executeTakeFirstOrThrow();
  const moved = await listen((response) => response.end());
  expect(await update(h, { targetId: id, name: 'moved', url: moved.url })).toEqual({
    environment: { kind: 'ENVIRONMENT', name: 'moved', url: moved.url },
  });
  const [owed] = await deliveriesTo(h, { id });
  expect(owed).toMatchObject({ acknowledged_at_ms: null, closed_at_ms: null });
  await mutate(h, 'resumeTarget', { targetId: id }, 'resumed');
  await untilAcknowledged(h, { id }, 1);
  const [state, ...others] = told({ name, receiver: moved, secret });
  expect(others).toEqual([]);
  expect(state).toMatchObject({ environment: 'moved', project: projectName, username });
  expect(state?.id).toBe(told({ name, receiver, secret })[0]?.id);
  const before = receiver.received.length;
  expect((await tell(h, 'unassignJwkValidation', { projectName, username })).success).toBe(true);
  expect([receiver.received.length, moved.received.length]).toEqual([before, 2]);
});

test('what is not said stays', async () => {
  const h = await openReaching({ count: 0 });
  await create(h, 'createProject', { projectName });
  const targetId = await makeEnvironment(h, 'live');
  const seen = () => look(h, targetId, 'name url');
  await update(h, { targetId, url: 'http://127.0.0.1:7/' });
  expect(await seen()).toEqual({ name: 'live', url: 'http://127.0.0.1:7/' });
  await update(h, { targetId, name: 'renamed', url: null });
  expect(await seen()).toEqual({ name: 'renamed', url: 'http://127.0.0.1:7/' });
  await update(h, { targetId });
  expect(await seen()).toEqual({ name: 'renamed', url: 'http://127.0.0.1:7/' });
});

test('a name that is taken in its project is no new name; its own is, and one of another project', async () => {
  const h = await openReaching({ count: 0 });
  for (const each of [projectName, 'other'])
    await create(h, 'createProject', { projectName: each });
  const targetId = await makeEnvironment(h, 'live');
  await makeEnvironment(h, 'staging');
  await makeEnvironment(h, 'elsewhere', 'other');
  const rename = async (name: string) => (await update(h, { targetId, name })).code;
  expect(await rename('staging')).toBe('NAME_TAKEN');
  expect(await rename('live')).toBeUndefined();
  expect(await rename('elsewhere')).toBeUndefined();
});

test('a webhook is no environment, and an environment no webhook', async () => {
  const h = await openReaching({ count: 0 });
  await create(h, 'createProject', { projectName });
  const hook = await makeHook(h, 'hook');
  expect(await update(h, { targetId: hook.id, name: 'moved' })).toEqual({
    code: 'NOT_FOUND',
    message: 'No such environment in your organization.',
  });
  const input = { targetId: await makeEnvironment(h, 'live'), name: 'moved' };
  expect(await mutate(h, 'updateWebhook', input, '__typename')).toMatchObject({
    code: 'NOT_FOUND',
  });
  await mutate(h, 'removeTarget', { targetId: input.targetId }, '__typename');
  expect((await update(h, input)).code).toBe('NOT_FOUND');
});

describe('who may', () => {
  test.each<[string, string[], string | undefined]>([
    ['this project', [`target:manage@${projectName}`], undefined],
    ['every project', ['target:manage'], undefined],
    ['another project', ['target:manage@elsewhere'], 'PERMISSION_DENIED'],
    ['nothing', ['project:read'], 'PERMISSION_DENIED'],
  ])('manage targets of %s', async (_where, held, code) => {
    const h = await openReaching({ count: 0 });
    await create(h, 'createProject', { projectName });
    const targetId = await makeEnvironment(h, 'live');
    const input = { targetId, url: 'http://127.0.0.1:7/' };
    expect((await update(h, input, await tokenWith(h, held))).code).toBe(code);
    const url = code === undefined ? input.url : 'http://127.0.0.1:8/';
    expect(await look(h, targetId, 'url')).toEqual({ url });
  });
});
