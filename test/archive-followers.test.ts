import { expect, test, vi } from 'vitest';
import { Archived } from '../src/retention/archived.ts';
import { followThrough, mutate, reached, said, until } from './enforcement.ts';
import { past } from './engine.ts';
import {
  endOf,
  followFeed,
  isPosition,
  makePoint,
  openFollowed,
  revokeKeys,
} from './feed-client.ts';
import { type Harness, openGateway } from './harness.ts';
import { organizationRow } from './kinds.ts';
import { serveGateway } from './oauth-clients.ts';
import { addEntries, archiveNow } from './retention.ts';
import { open, revokeKey, serve, subscribed, targetsOf } from './subscribers.ts';

/** Those who follow the ledger while it is archived: nobody misses anything without being told. */

const revoke = (h: Harness, token = h.demo.accessToken[0]?.tokenId) =>
  h.rest('POST', `/api/v1/auth/token-auth/tokens/${token}/revoke`, h.demo.callers.admin);

/** Lets everything be that a point has not acknowledged. */
async function closeAll(h: Harness): Promise<void> {
  await h.running.gateway.writes.run(async (tx) => {
    const closed = { closed_at_ms: 1, closed_by: 'test', closed_reason: 'test' };
    const open = tx.updateTable('deliveries').set(closed);
    await open.where('acknowledged_at_ms', 'is', null).where('closed_at_ms', 'is', null).execute();
  });
}

test('a point that comes back behind an archive is given a snapshot, any other goes on', async () => {
  const { h, url, point, feed } = await openFollowed();
  const before = await endOf(h);
  feed.close();
  await revoke(h);
  await revokeKeys(h, 2);
  await closeAll(h);
  const { archived } = await archiveNow(h, 'a.jsonl');
  const upTo = archived?.lastSeq ?? 0;
  expect(upTo).toBe(before + 2);

  for (const after of [0, before, upTo - 1]) {
    const again = await followFeed(url, point.token, { after });
    const { event, data } = await again.until(() => true);
    expect([after, event, data.position]).toEqual([after, 'snapshot', await endOf(h)]);
    expect(data.revoked).toContain(h.demo.accessToken[0]?.tokenId);
    again.close();
  }
  const near = await followFeed(url, point.token, { after: upTo });
  await near.until(isPosition);
  expect(near.told.map(({ event, data }) => [event, data.seq])).toEqual([
    ['change', upTo + 1],
    ['position', undefined],
  ]);
});

test('a verifier that was away refuses what was revoked and archived meanwhile', async () => {
  const h = await serveGateway();
  const { verifier, proxy } = await followThrough(reached(h), { staleAfterMs: 1_000 });
  const { token = '', tokenId } = h.demo.accessToken[0] ?? {};
  expect(await said(verifier, token)).toBe('good');
  await proxy.cut();
  await until(() => !verifier.status().live);
  await mutate(reached(h), 'revokeToken', { tokenId });
  await mutate(reached(h), 'createApplication', { name: 'another' });
  // What a point has not acknowledged is not archived, unless somebody has closed it.
  expect((await archiveNow(h, 'a.jsonl')).waitsFor?.targets).toMatchObject([
    { kind: 'enforcement-point', organization: 'acme' },
  ]);
  await closeAll(h);
  expect((await archiveNow(h, 'b.jsonl')).archived?.entries).toBeGreaterThan(0);
  expect((await h.ledger()).filter(({ action }) => action === 'revoke')).toEqual([]);
  await proxy.restore();
  await until(() => verifier.status().live);
  expect(await said(verifier, token)).toBe('revoked');
});

test('a stream that an archive overtakes ends before it says that all was told', async () => {
  const { h, url } = await open();
  const point = await makePoint(h);
  const after = await endOf(h);
  const { tail } = h.running.gateway;
  const { end } = tail;
  let asked = 0;
  let goOn = () => {};
  const archivedMeanwhile = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const spied = vi.spyOn(tail, 'end').mockImplementation(async () => {
    // It has begun where it was, and is about to read.
    if (++asked === 2) await archivedMeanwhile;
    return await end();
  });
  const slow = await followFeed(url, point.token, { after });
  await vi.waitUntil(() => asked >= 2);
  await revoke(h);
  await revokeKeys(h, 1);
  await closeAll(h);
  expect((await archiveNow(h, 'a.jsonl')).archived?.lastSeq).toBeGreaterThan(after);
  goOn();
  await slow.ended;
  expect(slow.told).toEqual([]);
  spied.mockRestore();
  const again = await followFeed(url, point.token, { after });
  expect(await again.until(() => true)).toMatchObject({ event: 'snapshot' });
});

test('whose own entries are all there goes on, however much of others is archived', async () => {
  const { h, url } = await open();
  const quiet = await makePoint(h, 'edge', h.demo.callers.outsider);
  const after = await endOf(h);
  for (let i = 0; i < 3; i++) await revokeKey(url, h.demo, i);
  await archiveNow(h, 'a.jsonl');
  await revokeKey(url, h.demo, 2).catch(() => undefined);
  const feed = await followFeed(url, quiet.token, { after });
  await feed.until(isPosition);
  expect(feed.told.map(({ event }) => event)).toEqual(['position']);
  const subscriber = await subscribed(url, h.demo.callers.outsider, { after: String(after) });
  subscriber.leave();
  expect(subscriber.refused).toEqual([]);
});

test('a subscription from before an archive is refused, and says where it can go on', async () => {
  const { h, url } = await open({ count: 6 });
  const targets: string[] = [];
  for (let i = 0; i < 4; i++) targets.push(await revokeKey(url, h.demo, i));
  const { archived } = await archiveNow(h, 'a.jsonl');
  expect(archived?.lastSeq).toBe(3);
  const ask = (after: string) => subscribed(url, h.demo.callers.admin, { after });
  for (const after of ['1', '2']) {
    const { ended, refused } = await ask(after);
    expect(await ended).toBe('complete');
    const message = 'What follows this cursor is archived: read the archive, and go on after "3".';
    expect(refused).toEqual([{ code: 'ARCHIVED', message }]);
  }
  targets.push(await revokeKey(url, h.demo, 4));
  // The beginning is that of what is there.
  for (const after of ['0', '3']) {
    const subscriber = await ask(after);
    expect(targetsOf(await subscriber.until(2))).toEqual(targets.slice(3));
    subscriber.leave();
  }
});

test('a subscription that an archive overtakes is told so', async () => {
  const { h } = await open();
  await addEntries(await past(h.folder), 'acme', 1_200);
  const { id } = await organizationRow(h, 'acme');
  const { signal } = new AbortController();
  const entries = h.running.gateway.tail.follow(id, 0, { signal, idleMs: 100 });
  const { value: first } = await entries.next();
  expect(first.map(({ seq }: { seq: number }) => seq)).toEqual(
    Array.from({ length: 500 }, (_, i) => i + 1),
  );
  await archiveNow(h, 'a.jsonl');
  await expect(entries.next()).rejects.toEqual(new Archived(1_199));
});

test('a subscription that an archive overtakes as it begins is refused too', async () => {
  const h = await openGateway({ count: 4 });
  const url = await serve(h);
  for (let i = 0; i < 3; i++) await revokeKey(url, h.demo, i);
  const { tail } = h.running.gateway;
  const { follow } = tail;
  vi.spyOn(tail, 'follow').mockImplementation(async function* (...given) {
    await archiveNow(h, 'a.jsonl');
    yield* follow(...given);
  });
  const { ended, refused } = await subscribed(url, h.demo.callers.admin, { after: '1' });
  expect(await ended).toBe('complete');
  expect(refused).toMatchObject([{ code: 'ARCHIVED' }]);
});
