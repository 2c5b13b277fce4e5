import { setTimeout } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import type { Demo } from '../db/demo.ts';
import { openGateway } from './harness.ts';
import { gatewayJson, newFolder, serve, settingsIn } from './processes.ts';
import {
  serve as listen,
  revokeKey,
  type Subscriber,
  subscribe,
  subscribed,
  type Told,
  targetsOf,
} from './subscribers.ts';

/** A subscriber loses nothing and is told nothing twice, whatever becomes of the gateway. */

/** A gateway as a process, with demo data; `again` starts one on the same file, at a port. */
async function served(count: number) {
  const settings = settingsIn(newFolder());
  const demo = await gatewayJson<Demo>(settings, 'demo', '--count', String(count));
  const again = (port = '0') => serve({ ...settings, PORT: port });
  return { demo, first: await again(), again };
}

/** A program that goes on after the last cursor whenever it is told no more. */
function follow(url: string, token: string) {
  const before: Told[] = [];
  const ends: string[] = [];
  let current: Subscriber | undefined;
  let left = false;
  const following = async () => {
    while (!left) {
      current = subscribe(url, token, { after: before.at(-1)?.cursor ?? '0' });
      ends.push(await current.ended);
      before.push(...current.told);
      current = undefined;
      await setTimeout(20);
    }
  };
  const done = following();
  const told = () => [...before, ...(current?.told ?? [])];
  const leave = async () => {
    left = true;
    current?.leave();
    await done;
  };
  return { told, ends, leave };
}

/** Every revocation of the ledger, oldest first. */
async function ledgerOf(url: string, demo: Demo): Promise<string[]> {
  const targets: string[] = [];
  let before: string | null = null;
  for (;;) {
    const query = `query ($before: String) { me { ledger(last: 100, before: $before) {
      edges { cursor node { action outcome target } } } } }`;
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${demo.callers.admin}`,
      },
      body: JSON.stringify({ query, variables: { before } }),
    });
    interface Edge {
      readonly cursor: string;
      readonly node: { readonly action: string; readonly outcome: string; readonly target: string };
    }
    const { data } = (await response.json()) as { data: { me: { ledger: { edges: Edge[] } } } };
    const { edges } = data.me.ledger;
    const done = edges.filter(({ node }) => node.action === 'REVOKE' && node.outcome === 'DONE');
    targets.push(...done.map(({ node }) => node.target).reverse());
    if (edges.length < 100) return targets;
    before = edges[0]?.cursor ?? null;
  }
}

test('killed and started again, with revocations before, at, between and after it', async () => {
  const { demo, first, again } = await served(90);
  const { url } = first;
  const { port } = new URL(url);
  const bot = follow(url, demo.callers.personalAccessToken);
  const acknowledged: string[] = [];
  let next = 0;
  /** Revokes keys one after the other, as long as somebody answers. */
  const revoke = async (at: string, count: number) => {
    for (let i = 0; i < count; i++) {
      const target = await revokeKey(at, demo, next++).catch(() => undefined);
      if (target === undefined) return;
      acknowledged.push(target);
    }
  };

  let running = first;
  for (let round = 0; round < 3; round++) {
    await revoke(url, 8);
    // In flight while it is killed: some are acknowledged, some done, some neither.
    const inFlight = [revoke(url, 4), revoke(url, 4)];
    await setTimeout(5 * round);
    running.kill('SIGKILL');
    await Promise.all([...inFlight, running.ended]);

    const elsewhere = await again();
    await revoke(elsewhere.url, 5);
    running = await again(port);
    // Two processes, one file: each is told of what the other does.
    await Promise.all([revoke(elsewhere.url, 3), revoke(url, 3)]);
    elsewhere.kill('SIGTERM');
    await elsewhere.ended;
  }
  await revoke(url, 1);

  const ledger = await ledgerOf(url, demo);
  expect(ledger).toEqual(expect.arrayContaining(acknowledged));
  await vi.waitUntil(() => bot.told().length >= ledger.length, { timeout: 10_000 });
  await bot.leave();
  expect(targetsOf(bot.told())).toEqual(ledger);
  expect(bot.ends.length).toBeGreaterThan(3);
}, 60_000);

test('told to stop, the gateway ends its streams as complete, and itself with 0', async () => {
  const { demo, first, again } = await served(3);
  const subscribers = await Promise.all(
    Array.from({ length: 5 }, () => subscribed(first.url, demo.callers.admin)),
  );
  const target = await revokeKey(first.url, demo, 0);
  for (const subscriber of subscribers) await subscriber.until(1);
  const stoppedAt = performance.now();
  first.kill('SIGTERM');
  expect(await first.ended).toMatchObject({ code: 0, signal: null, stderr: '' });
  expect(performance.now() - stoppedAt).toBeLessThan(5_000);
  for (const subscriber of subscribers) {
    expect(await subscriber.ended).toBe('complete');
    expect(subscriber.refused).toEqual([]);
    expect(targetsOf(subscriber.told)).toEqual([target]);
  }

  const { url } = await again();
  const after = subscribers[0]?.told[0]?.cursor ?? '';
  const resumed = await subscribed(url, demo.callers.admin, { after });
  const next = await revokeKey(url, demo, 1);
  expect(targetsOf(await resumed.until(1))).toEqual([next]);
});

test('1,000 revocations at once are all told, in order, also to whoever comes late', async () => {
  const COUNT = 1_000;
  const h = await openGateway({ count: COUNT });
  const url = await listen(h);
  const { admin } = h.demo.callers;
  const live = await subscribed(url, admin);
  const revoking = h.demo.apiKey.map((_key, i) => revokeKey(url, h.demo, i));
  await live.until(COUNT / 4);
  const late = await subscribed(url, admin, { after: '0' });
  const middle = await subscribed(url, admin, { after: live.told[99]?.cursor ?? '' });
  await Promise.all(revoking);
  const ledger = (await h.ledger()).map(({ target }) => target);
  expect(ledger).toHaveLength(COUNT);
  expect(targetsOf(await live.until(COUNT))).toEqual(ledger);
  expect(targetsOf(await late.until(COUNT))).toEqual(ledger);
  expect(targetsOf(await middle.until(COUNT - 100))).toEqual(ledger.slice(100));
});
