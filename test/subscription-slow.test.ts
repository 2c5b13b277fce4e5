import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { UNREAD_MS } from '../src/graphql/subscription.ts';
import { past } from './engine.ts';
import { type Harness, openGateway } from './harness.ts';
import { organizationRow } from './kinds.ts';
import { document, open, revokeKey, serve, subscribed, targetsOf } from './subscribers.ts';

/** Subscribers that leave or do not read: they cost little, disturb nobody, and hold nothing up. */

// Yoga writes heartbeats more often when it says `test`, and would notice sooner who is gone.
vi.hoisted(() => {
  process.env.NODE_ENV = 'production';
});

const COUNT = 200;
const ALIASES = 50;
/** Of these, a connection holds few by itself. */
const EVENT_BYTES = ALIASES * 3_000;
const large = Array.from({ length: ALIASES }, (_, i) => `a${i}: comment`).join(' ');

/** A subscriber that reads nothing until it is resumed. */
async function stalled(h: Harness, url: string) {
  const accepted = once(h.app.server, 'connection');
  const socket = connect(Number(new URL(url).port), '127.0.0.1').pause();
  onTestFinished(() => void socket.destroy());
  const [served] = (await accepted) as [Socket];
  const body = JSON.stringify({ query: document(`kind target ${large}`) });
  socket.write(
    'POST /graphql HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n' +
      `Authorization: Bearer ${h.demo.callers.admin}\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  await vi.waitUntil(() => served.bytesWritten > 0);
  return { socket, served };
}

async function revokeMuch(h: Harness): Promise<string[]> {
  const targets: string[] = [];
  const mutation =
    'mutation ($input: RevokeApiKeyInput!) { revokeApiKey(input: $input) { __typename } }';
  for (const { applicationId, keyId } of h.demo.apiKey) {
    const input = { applicationId, keyId, comment: '€'.repeat(1_000) };
    await h.graphql(mutation, { input }, h.demo.callers.admin);
    targets.push(`${applicationId}/${keyId}`);
  }
  return targets;
}

/** Resolves when nothing more goes out, and says how much has. */
async function atRest(served: Socket): Promise<number> {
  let before = -1;
  await vi.waitUntil(
    () => {
      const still = served.bytesWritten === before && served.writableNeedDrain;
      before = served.bytesWritten;
      return still;
    },
    { interval: 200, timeout: 20_000 },
  );
  return before;
}

test('whoever leaves is followed for no longer', async () => {
  const { h, url, followers } = await open();
  const { admin } = h.demo.callers;
  const [first, second] = await Promise.all([subscribed(url, admin), subscribed(url, admin)]);
  const { socket } = await stalled(h, url);
  await vi.waitUntil(() => followers() === 3);
  const leftAt = performance.now();
  for (const { leave } of [first, second]) leave();
  socket.destroy();
  await vi.waitUntil(() => followers() === 0);
  expect(performance.now() - leftAt).toBeLessThan(1_000);
});

test('what it does not read is not kept for it, others are told, and it is told once it reads', async () => {
  const h = await openGateway({ count: COUNT });
  const url = await serve(h);
  const other = await subscribed(url, h.demo.callers.admin);
  const { socket, served } = await stalled(h, url);
  const targets = await revokeMuch(h);
  expect(targetsOf(await other.until(COUNT))).toEqual(targets);

  expect(await atRest(served)).toBeLessThan((COUNT / 2) * EVENT_BYTES);
  expect(served.writableLength).toBeLessThan(3 * EVENT_BYTES);

  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  socket.resume();
  const last = targets.at(-1) ?? '';
  await vi.waitUntil(() => text.includes(last), { timeout: 20_000 });
  const told = [...text.matchAll(/"target":"([^"]+)"/g)].map(([, target]) => target);
  expect(told).toEqual(targets);
});

test('it is cut once it has read nothing for long', async () => {
  const h = await openGateway({ count: COUNT });
  const url = await serve(h);
  const { served } = await stalled(h, url);
  const later = globalThis.setTimeout;
  vi.spyOn(globalThis, 'setTimeout').mockImplementation(((run: () => void, ms: number) =>
    later(run, ms === UNREAD_MS ? 100 : ms)) as typeof setTimeout);
  onTestFinished(() => void vi.restoreAllMocks());
  const closed = once(served, 'close');
  await revokeMuch(h);
  await closed;
});

test('it does not hold up a gateway that stops, and whoever reads is told the end', async () => {
  const h = await openGateway({ count: COUNT });
  const url = await serve(h);
  const other = await subscribed(url, h.demo.callers.admin);
  const { served } = await stalled(h, url);
  const targets = await revokeMuch(h);
  await atRest(served);
  const stopAt = performance.now();
  await Promise.all([h.close(), other.ended]);
  expect(performance.now() - stopAt).toBeLessThan(5_000);
  expect(await other.ended).toBe('complete');
  expect(targetsOf(other.told)).toEqual(targets);
});

/** Fills the ledger of acme with refused attempts. */
async function refuseMuch(h: Harness, count: number): Promise<void> {
  const { id } = await organizationRow(h, 'acme');
  const other = await past(h.folder);
  await other.all(
    `insert into ledger (seq, id, organization_id, at_ms, action, kind, target, outcome, refusal,
       actor, surface, request_id)
     with recursive n(i) as (select 1 union all select i + 1 from n where i < ${count})
     select (select coalesce(max(seq), 0) from ledger) + i, 'refused-' || i, ?, 0, 'revoke', 'api-key',
       '', 'refused', 'NOT_FOUND', '', 'rest', ''
     from n`,
    id,
  );
}

test('a long way to catch up leaves room for everybody else', async () => {
  const h = await openGateway();
  const url = await serve(h);
  await refuseMuch(h, 50_000);
  const target = await revokeKey(url, h.demo, 0);
  let turns = 0;
  const turning = setInterval(() => turns++, 1);
  const subscriber = await subscribed(url, h.demo.callers.admin, { after: '0' });
  expect(targetsOf(await subscriber.until(1))).toEqual([target]);
  clearInterval(turning);
  expect(turns).toBeGreaterThan(50);
});
