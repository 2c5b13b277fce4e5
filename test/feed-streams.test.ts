import { connect } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readConfig } from '../src/config.ts';
import { apiKey } from '../src/credentials/api-key/kind.ts';
import { revoke } from '../src/credentials/revoke.ts';
import { perform } from '../src/operation.ts';
import { start } from '../src/start.ts';
import { actorOf } from './callers.ts';
import { mutate as askOver, makePoint as makePointOver } from './enforcement.ts';
import { databaseIn } from './engine.ts';
import {
  changesIn,
  endOf,
  type Follower,
  followFeed,
  hasSeq,
  isPosition,
  openFollowed,
  placeAt,
  revokeKeys,
} from './feed-client.ts';
import type { Harness } from './harness.ts';
import { expectDone, ask as mutate } from './identities.ts';
import { insert } from './kinds.ts';
import { gatewayJson, newFolder, serve, settingsIn } from './processes.ts';

/** The feed over time: streams that break off, that are not read, and that end with the gateway. */

test('whoever comes back has every change once, wherever it was cut off', async () => {
  const count = 120;
  const { h, url, point, feed: first } = await openFollowed({ count });
  const all = revokeKeys(h, count);
  const told: unknown[] = [];
  let feed: Follower = first;
  let after = (await feed.until(isPosition)).id;
  for (let cuts = 0; told.length < count; cuts++) {
    const seen = feed.told.length;
    await feed.until((each) => feed.told.indexOf(each) >= Math.min(seen, 1 + (cuts % 3)));
    feed.close();
    await feed.ended;
    told.push(...changesIn(feed).map(({ id }) => id));
    after = feed.told.findLast(({ id }) => id !== undefined)?.id ?? after;
    feed = await followFeed(url, point.token, { after });
  }
  await all;
  expect(told.length).toBe(count);
  expect(new Set(told)).toEqual(new Set(h.demo.apiKey.map(({ keyId }) => keyId)));
});

test('a position is told only behind all that is before it', async () => {
  const count = 200;
  const { h, feed } = await openFollowed({ count });
  // Others write in between: the numbers of one organization have gaps.
  const others = async () => {
    for (let i = 0; i < count; i++) {
      const token = h.demo.callers.outsider;
      expectDone(await mutate(h, 'createIdentity', { name: 'x', permissions: [] }, token));
    }
  };
  await Promise.all([revokeKeys(h, count), others()]);
  await feed.until(hasSeq(await endOf(h)));
  const own = (await h.ledger()).filter(
    ({ kind, action }) => `${action} ${kind}` === 'revoke api-key',
  );
  let sent = -1;
  const seen = new Set<unknown>();
  for (const { event, id, data } of feed.told.filter(({ event }) => event !== 'snapshot')) {
    if (event === 'change') seen.add(data.seq);
    const seq = Number(data.seq ?? data.position);
    expect(id).toEqual(placeAt(seq));
    expect(seq).toBeGreaterThanOrEqual(sent);
    sent = seq;
    const missed = own.filter(({ seq }) => seq <= sent && !seen.has(seq));
    expect(missed).toEqual([]);
  }
  expect(seen.size).toBe(count);
});

test('who does not read is cut off, and holds up nobody', async () => {
  const { h, url, point, feed } = await openFollowed();
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  const closed = new Promise((resolve) => socket.once('close', resolve).on('error', () => {}));
  const authorization = `Bearer ${point.token}`;
  socket.write(`GET /feed?after=0 HTTP/1.1\r\nHost: a\r\nAuthorization: ${authorization}\r\n\r\n`);

  // More than the buffers of any system take.
  const [entry] = await h.ledger();
  if (entry === undefined) throw new Error('The ledger is empty');
  const first = (await endOf(h)) + 1;
  const kind = 'x'.repeat(20_000);
  for (let seq = first; seq < first + 1_000; seq++) {
    await insert(h, 'ledger', { ...entry, action: 'update', id: `id-${seq}`, seq, kind });
  }
  h.running.gateway.tail.nudge();
  await feed.until(hasSeq(first + 999));
  await untilConnections(h, 1);
  await revokeKeys(h, 1);
  await feed.until(hasSeq(first + 1_000));
  socket.resume();
  await closed;
});

/** Resolves when so many connections are left. */
async function untilConnections(h: Harness, count: number): Promise<void> {
  const connections = () =>
    new Promise<number>((resolve) => h.app.server.getConnections((_error, n) => resolve(n)));
  while ((await connections()) > count) await new Promise((resolve) => setTimeout(resolve, 20));
}

test('what another process commits is told too', async () => {
  const { h, feed } = await openFollowed();
  const another = await start({
    ...readConfig({ DATABASE_URL: databaseIn(h.folder) }),
    ...{ secretKeyFile: join(h.folder, 'secret.key'), logLevel: 'silent' },
  });
  onTestFinished(another.close);
  const actor = await actorOf(h, h.demo.callers.admin);
  const { applicationId = '', keyId = '' } = h.demo.apiKey[0] ?? {};
  const call = { actor, surface: 'rest', requestId: 'req-of-a-test' } as const;
  await perform(another.gateway, revoke(apiKey), { applicationId, keyId }, call);
  const { data } = await feed.until(({ event }) => event === 'change');
  expect(data).toMatchObject({ type: 'revoked', id: keyId });
});

test('SIGTERM ends streams and the process, and the next gateway goes on where they were', async () => {
  const settings = settingsIn(newFolder());
  await gatewayJson(settings, 'organization', 'create', 'acme');
  const minting = ['token', '--organization', 'acme', '--permissions', 'organization:admin'];
  const { token: admin } = await gatewayJson<{ token: string }>(settings, ...minting);
  const first = await serve(settings);
  const point = await makePointOver({ url: first.url, admin });
  const feed = await followFeed(first.url, point.token);
  const { id: after } = await feed.until(isPosition);
  first.kill('SIGTERM');
  const stopping = performance.now();
  await feed.ended;
  expect(await first.ended).toMatchObject({ code: 0, signal: null, stderr: '' });
  expect(performance.now() - stopping).toBeLessThan(5_000);

  const second = await serve(settings);
  const input = { name: 'ci', permissions: ['ledger:read'] };
  const fields = 'personalAccessToken { id }';
  const at = { url: second.url, admin };
  const made = await askOver<{ personalAccessToken: { id: string } }>(
    ...([at, 'createPersonalAccessToken', input, fields] as const),
  );
  const { id } = made.personalAccessToken;
  await askOver(at, 'revokePersonalAccessToken', { personalAccessTokenId: id });
  const resumed = await followFeed(second.url, point.token, { after });
  await resumed.until(isPosition);
  expect(resumed.told[0]?.event).not.toBe('snapshot');
  expect(changesIn(resumed)).toMatchObject([
    { type: 'revoked', id, kind: 'personal-access-token' },
  ]);
});
