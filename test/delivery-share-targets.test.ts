import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { LEASE_MS } from '../src/delivery/claims.ts';
import { SCAN_MS } from '../src/delivery/deliver.ts';
import { type SharingGateway, share, shareHook } from './sharing.ts';
import { until } from './targets.ts';

/** What is done with targets, and seen of them, where several gateways share them. */

const revocations = { events: ['CREDENTIAL_REVOKED'] };

test('one that falls behind the bound is told of once, and again after it has caught up', async () => {
  const { gateways } = await share(3, { keys: 6, settings: { EFFECT_BOUND_MS: '400' } });
  const [a, b] = gateways as [SharingGateway, SharingGateway];
  let well = false;
  const bad = await shareHook(
    a,
    'bad',
    (response) => response.writeHead(well ? 204 : 500).end(),
    revocations,
  );
  const observer = await shareHook(a, 'observer', undefined, { events: ['TARGET_LATE'] });
  for (const round of [1, 2]) {
    well = false;
    await b.revokeKey(2 * round);
    await a.revokeKey(2 * round + 1);
    await until(() => expect(observer.told()).toHaveLength(round));
    expect(observer.told().at(-1)?.message.data).toMatchObject({ targetId: bad.id });
    await setTimeout(3 * SCAN_MS);
    well = true;
    await b.mutate('resumeTarget', { targetId: bad.id }, 'resumed');
    await until(() => expect(new Set(bad.told().map(({ id }) => id)).size).toBe(2 * round));
    await until(async () => expect(await lateSince(a, bad.id)).toBeNull());
    expect(observer.told()).toHaveLength(round);
  }
}, 60_000);

async function lateSince(gateway: SharingGateway, id: string): Promise<string | null | undefined> {
  const { me } = await gateway.query<{
    me: { targets: { edges: { node: { id: string; lateSince: string | null } }[] } };
  }>('{ me { targets { edges { node { id lateSince } } } } }');
  return me.targets.edges.find(({ node }) => node.id === id)?.node.lateSince;
}

test('what is done on one gateway counts for what another delivers', async () => {
  const { gateways } = await share(2, { keys: 6 });
  const [a, b] = gateways as [SharingGateway, SharingGateway];
  let answer: [number, number] = [500, 0];
  const hook = await shareHook(
    a,
    'hook',
    async (response) => {
      const [status, ms] = answer;
      await setTimeout(ms);
      response.writeHead(status).end();
    },
    revocations,
  );

  // Closed on the one that has not tried it: what follows goes on at once.
  const closed = await a.revokeKey(0);
  await until(() => expect(hook.told()).toHaveLength(1));
  answer = [204, 0];
  const followed = await a.revokeKey(1);
  const closing = { targetId: hook.id, revocationId: closed, reason: 'seen to' };
  await b.mutate('closeDelivery', closing, 'target { id }');
  await until(() => expect(hook.told().at(-1)?.id).toBe(followed));
  expect(hook.told().filter(({ id }) => id === closed).length).toBeLessThanOrEqual(2);

  // Resumed on the one that has not tried it: what waits is tried at once.
  answer = [500, 0];
  const waits = await a.revokeKey(2);
  const triesOf = () => hook.told().filter(({ id }) => id === waits).length;
  await until(() => expect(triesOf()).toBe(3));
  answer = [204, 0];
  const began = performance.now();
  await b.mutate('resumeTarget', { targetId: hook.id }, 'resumed');
  await until(() => expect(triesOf()).toBe(4));
  // Without it: 2 s at the least.
  expect(performance.now() - began).toBeLessThan(1_500);

  // A test comes once, in its turn, behind what the other gateway is sending.
  answer = [204, 800];
  const slow = await a.revokeKey(3);
  await until(() => expect(hook.told().at(-1)?.id).toBe(slow));
  const tested = await b.mutate('testWebhook', { targetId: hook.id }, 'success message');
  expect(tested).toEqual({ success: true, message: 'Delivered successfully' });
  answer = [500, 0];
  expect(await a.mutate('testWebhook', { targetId: hook.id }, 'success message')).toMatchObject({
    success: false,
  });
  await setTimeout(2 * SCAN_MS);
  const tests = hook.told().filter(({ message }) => message.type === ('webhook.test' as string));
  expect(tests).toHaveLength(2);

  // Another secret signs from then on, also what the other gateway sends.
  answer = [204, 0];
  const before = hook.told().length;
  await b.mutate('rotateTargetSecret', { targetId: hook.id, overlapSeconds: 0 }, 'secret');
  await a.revokeKey(4);
  await until(() => expect(hook.count()).toBe(before + 1));
  expect(() => hook.told()).toThrow('No matching signature found');
  expect(hook.atOnceMax()).toBe(1);
}, 60_000);

test('a gateway that stops lets go: another goes on at once', async () => {
  const { gateways } = await share(2, { keys: 6 });
  const [a, b] = gateways as [SharingGateway, SharingGateway];
  const hook = await shareHook(
    b,
    'hook',
    (response) => {
      // The first is never answered.
      if (hook.count() > 1) response.end();
    },
    revocations,
  );
  const cutOff = await a.revokeKey(0);
  await until(() => expect(hook.count()).toBe(1));
  a.kill('SIGTERM');
  await a.ended;
  const endedAtMs = Date.now();
  const next = await b.revokeKey(1);
  await until(() => expect(hook.told().map(({ id }) => id)).toEqual([cutOff, cutOff, next]));
  expect(Date.now() - endedAtMs).toBeLessThan(LEASE_MS - SCAN_MS);
}, 30_000);
