import type { ServerResponse } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { MESSAGE_TIMEOUT_MS } from '../src/delivery/message.ts';
import { openGateway } from './harness.ts';
import { listen, talkForever } from './loopback.ts';
import {
  deliveriesTo,
  look,
  makeHook,
  mutate,
  openReaching,
  revokeKey,
  until,
  untilAcknowledged,
} from './targets.ts';

/** A webhook that fails: nobody else is disturbed, and somebody is told. */

/** 100 MB, as fast as they are taken. */
function answer100Mb(response: ServerResponse): void {
  const chunk = Buffer.alloc(1024 * 1024, ' ');
  let left = 100;
  response.writeHead(500, { 'content-length': left * chunk.length });
  const talk = () => {
    while (left > 0 && !response.destroyed && response.write(chunk)) left--;
  };
  response.on('drain', talk);
  talk();
}

const failures: [what: string, answer: (response: ServerResponse) => unknown, why: RegExp][] = [
  ['answers 500', (r) => r.writeHead(500).end('no'), /^Answered 500$/],
  ['closes the connection', (r) => r.socket?.destroy(), /^Could not be reached \(/],
  [
    'redirects to a private address',
    (r) => r.writeHead(307, { location: 'http://169.254.169.254/latest/' }).end(),
    /^Answered 307: redirects are not followed$/,
  ],
  ['sends 100 MB', answer100Mb, /^Answered 500$/],
  [
    'never stops talking',
    (r) => {
      r.writeHead(404);
      talkForever(r);
    },
    /^Answered 404$/,
  ],
  ['hangs', () => undefined, /^Did not answer within 5000 ms$/],
  [
    'begins to answer and hangs',
    (r) => r.socket?.write('HTTP/1.1 200 OK\r\nX-'),
    /^Did not answer within 5000 ms$/,
  ],
  ['is slow', (r) => setTimeout(1_500).then(() => r.writeHead(503).end()), /^Answered 503$/],
];

test.each(failures)(
  'one that %s disturbs no other and no revocation',
  async (what, answer, why) => {
    const h = await openReaching({ count: 5, config: { effectBoundMs: 60_000 } });
    const bad = await makeHook(h, 'bad', answer);
    const good = await makeHook(h, 'good');
    const elsewhere = await listen((response) => response.end());
    const startedAtMs = performance.now();
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) ids.push(await revokeKey(h, i));
    await untilAcknowledged(h, good, 5);
    // All answered and told to the other while the first attempt at the bad one may still go on.
    const limitMs = what.includes('hang') || what.includes('slow') ? 1_400 : 3_000;
    expect(performance.now() - startedAtMs).toBeLessThan(limitMs);
    expect(good.told().map(({ id }) => id)).toEqual(ids);

    await until(async () => {
      const [first, ...others] = await deliveriesTo(h, bad);
      expect(first).toMatchObject({
        acknowledged_at_ms: null,
        last_error: expect.stringMatching(why),
      });
      expect(others.map(({ attempts }) => attempts)).toEqual([0, 0, 0, 0]);
    }, MESSAGE_TIMEOUT_MS + 2_000);
    expect(await look(h, bad.id, 'state pending lastError')).toEqual({
      ...{ state: 'PENDING', pending: 5, lastError: expect.stringMatching(why) },
    });
    expect(await look(h, good.id, 'state pending lastError oldestPendingAt')).toEqual({
      ...{ state: 'EFFECTIVE', pending: 0, lastError: null, oldestPendingAt: null },
    });
    expect(elsewhere.received).toEqual([]);
  },
);

test('one whose address has become private is not called, and what it is told says nothing of it', async () => {
  const h = await openGateway();
  const made = await mutate<{ webhook: { id: string } }>(
    h,
    'createWebhook',
    { name: 'inside', url: 'http://localhost:8/' },
    'webhook { id }',
  );
  const tested = await mutate<object>(
    h,
    'testWebhook',
    { targetId: made.webhook.id },
    'success message',
  );
  const why = 'Its address is not public and not in OUTBOUND_ALLOW';
  expect(tested).toEqual({ success: false, message: why });
});

test.each([
  ['production', 'http://hooks.example/', 'refused', 'INVALID_INPUT'],
  ['production', 'https://hooks.example/', 'made', undefined],
  ['development', 'http://hooks.example/', 'made', undefined],
] as const)('in %s a webhook at %s is %s', async (profile, url, _what, code) => {
  const h = await openGateway({ config: { profile } });
  const made = await mutate(h, 'createWebhook', { name: 'hook', url }, 'webhook { id }');
  expect(made.code).toBe(code);
});

test('what cannot be recorded is told again, with the same id, and stops nothing', async () => {
  const h = await openReaching();
  const hook = await makeHook(h, 'hook', (response) => setTimeout(100).then(() => response.end()));
  const { writes } = h.running.gateway;
  const { run } = writes;
  const ids = [await revokeKey(h, 0), await revokeKey(h, 1), await revokeKey(h, 2)];
  Object.assign(writes, { run: () => Promise.reject(new Error('database is locked')) });
  // The first by itself, then all three, each while the one before is being recorded.
  await until(() => expect(hook.receiver.received).toHaveLength(4));
  Object.assign(writes, { run });
  await untilAcknowledged(h, hook, 3);
  const told = hook.told().map(({ id }) => id);
  expect(told.slice(0, 4)).toEqual([ids[0], ...ids]);
  expect([...new Set(told)]).toEqual(ids);
});
