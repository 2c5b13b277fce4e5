import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { LEASE_MS } from '../src/delivery/claims.ts';
import { MESSAGE_TIMEOUT_MS } from '../src/delivery/message.ts';
import { ascending, forAll, type SharingGateway, share, shareHook, type Told } from './sharing.ts';
import { until } from './targets.ts';

/** Gateways on one database that die, or stop for longer than their claims last. */

const KEYS = 400;
const KILLS = 6;

const revocations = { events: ['CREDENTIAL_REVOKED'] };

/** What came more than once: the same each time. */
function repeated(told: readonly Told[]): Told[][] {
  const byId = [...Map.groupBy(told, ({ id }) => id).values()];
  for (const each of byId) {
    expect(new Set(each.map(({ message }) => JSON.stringify(message))).size).toBe(1);
  }
  return byId.filter(({ length }) => length > 1);
}

test(`${KEYS} revocations on three gateways, of which one is killed ${KILLS} times`, async () => {
  const { gateways, join } = await share(3, { keys: KEYS });
  const [first] = gateways as [SharingGateway];
  const hooks = [
    await shareHook(first, 'first', undefined, revocations),
    await shareHook(first, 'second', undefined, revocations),
  ];
  let revoking = true;
  const ids: string[] = [];
  const all = forAll(KEYS, 6, async (i) => {
    for (let at = i; revoking; at++) {
      const gateway = gateways[at % gateways.length];
      // Who is killed answers nothing: another one is asked.
      const id = await gateway?.revokeKey(i).catch(() => '');
      if (id === '') continue;
      if (id !== undefined) ids.push(id);
      break;
    }
    await setTimeout(Math.random() * 120);
  }).finally(() => {
    revoking = false;
  });
  const killedAtMs: number[] = [];
  for (let kills = 0; kills < KILLS; kills++) {
    await setTimeout(300 + Math.random() * 700);
    const killed = gateways[kills % gateways.length];
    killed?.kill('SIGKILL');
    await killed?.ended;
    killedAtMs.push(Date.now());
    gateways[kills % gateways.length] = await join();
  }
  await all;
  expect(ids.length).toBeGreaterThan(KEYS - 6 * KILLS);

  for (const { told } of hooks) {
    await until(() => expect(new Set(told().map(({ id }) => id)).size).toBe(KEYS), 30_000);
  }
  await setTimeout(LEASE_MS);
  for (const hook of hooks) {
    const told = hook.told();
    expect(ids.filter((id) => !told.some((each) => each.id === id))).toEqual([]);
    const seqs = told.map(({ seq }) => seq);
    expect([...new Set(seqs)]).toEqual(ascending([...new Set(seqs)]));
    for (const [before, after, ...more] of repeated(told)) {
      // It was in flight as its gateway died, and another one could not know.
      const between = killedAtMs.filter(
        (atMs) => (before?.atMs ?? 0) <= atMs && atMs <= (after?.atMs ?? 0),
      );
      expect(between).not.toEqual([]);
      expect(more.length).toBeLessThan(KILLS);
    }
    expect(hook.atOnceMax()).toBe(1);
  }
}, 180_000);

test.each([
  ['acknowledged', 204],
  ['refused', 500],
])(
  'one that stops for longer than its claims last, with a message that is %s, changes nothing after',
  async (_what, status) => {
    const { gateways } = await share(2, { settings: { EFFECT_BOUND_MS: '60000' } });
    const [a, b] = gateways as [SharingGateway, SharingGateway];
    const stopped = Promise.withResolvers<void>();
    let times = 0;
    const hook = await shareHook(
      b,
      'hook',
      async (response) => {
        if (times++ > 0) return response.writeHead(204).end();
        // Whose message this is never learns in time what came of it.
        a.kill('SIGSTOP');
        stopped.resolve();
        response.writeHead(status).end();
      },
      revocations,
    );
    const revokingOnA = a.revokeKey(0).catch(() => undefined);
    await stopped.promise;
    const stoppedAtMs = Date.now();
    const id = await b.revokeKey(1);
    await until(() => expect(hook.told()).toHaveLength(3));
    const [before, again, next] = hook.told();
    expect(again?.id).toBe(before?.id);
    expect(next?.id).toBe(id);
    expect((again?.atMs ?? 0) - (before?.atMs ?? 0)).toBeGreaterThan(LEASE_MS / 2);
    // Soon enough for it to read the answer, which is there.
    await setTimeout(Math.max(0, stoppedAtMs + MESSAGE_TIMEOUT_MS - 700 - Date.now()));
    a.kill('SIGCONT');
    await revokingOnA;
    await setTimeout(1_500);

    // Each gateway goes on, and what the one that slept knew has undone nothing.
    const last = await a.revokeKey(2);
    await until(() => expect(hook.told().at(-1)?.id).toBe(last));
    expect(hook.told()).toHaveLength(4);
    await until(async () => expect(await effects(b)).toHaveLength(3));
    expect(await effects(b)).toEqual(
      Array(3).fill({ state: 'EFFECTIVE', targets: [{ attempts: 1, lastError: null }] }),
    );
  },
  60_000,
);

/** What the revocations have reached that are effective, with what was recorded of each. */
async function effects(gateway: SharingGateway): Promise<unknown[]> {
  const { me } = await gateway.query<{
    me: { revocations: { edges: { node: { effect: { state: string } } }[] } };
  }>(`{ me { revocations(first: 10) { edges { node {
    effect { state targets { attempts lastError } } } } } } }`);
  return me.revocations.edges
    .map(({ node }) => node.effect)
    .filter(({ state }) => state === 'EFFECTIVE');
}
