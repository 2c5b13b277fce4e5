import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { SUBSCRIPTIONS_MAX } from '../src/graphql/subscription.ts';
import { past } from './engine.ts';
import type { Harness } from './harness.ts';
import { document, open, revokeKey, subscribed } from './subscribers.ts';

/** The connection of a subscriber: what goes over it, how it ends, and what that leaves behind. */

const STREAM = 'text/event-stream';

/** Asks with nothing but fetch. */
async function ask(
  url: string,
  h: Harness,
  { method = 'POST', accept = STREAM, query = document(), token = h.demo.callers.admin } = {},
) {
  const leaving = new AbortController();
  onTestFinished(() => leaving.abort());
  const search = method === 'GET' ? `?${new URLSearchParams({ query })}` : '';
  const response = await fetch(`${url}/graphql${search}`, {
    method,
    signal: leaving.signal,
    headers: { accept, authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(method === 'POST' && { body: JSON.stringify({ query }) }),
  });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  /** What has come, once it fits. */
  const until = async (fits: (text: string) => boolean): Promise<string> => {
    while (!fits(text)) {
      const { done = true, value } = (await reader?.read()) ?? {};
      if (done) break;
      text += value;
    }
    return text;
  };
  return { response, until, leave: () => leaving.abort() };
}

const HEARTBEAT = ':\n\n';
const withoutHeartbeats = (text: string) => text.replace(/^:\n\n/gm, '');

describe.each(['development', 'production'] as const)('%s', (profile) => {
  test.each(['POST', 'GET'])('%s: events as GraphQL over SSE writes them', async (method) => {
    const { h, url } = await open({ config: { profile } });
    const { response, until } = await ask(url, h, { method });
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': STREAM,
      'cache-control': 'no-cache',
      'x-accel-buffering': 'no',
      'x-request-id': expect.stringMatching(/^req-/),
    });
    const target = await revokeKey(url, h.demo, 0);
    const text = await until((come) => come.includes('}\n\n'));
    const revocation = { kind: 'API_KEY', target };
    const data = JSON.stringify({ data: { revocations: { cursor: '1', revocation } } });
    expect(withoutHeartbeats(text)).toBe(`event: next\ndata: ${data}\n\n`);
  });
});

test('while nothing happens, comments keep the connection open', async () => {
  const { h, url } = await open();
  const { until } = await ask(url, h);
  expect(await until((text) => text.length >= 4 * HEARTBEAT.length)).toBe(HEARTBEAT.repeat(4));
});

test('a client of any type is told, and one that takes no stream is told that', async () => {
  const { h, url, followers } = await open();
  expect((await ask(url, h, { accept: '*/*' })).response.headers.get('content-type')).toBe(STREAM);
  const refused = await ask(url, h, { accept: 'application/json' });
  expect(refused.response.status).toBe(406);
  expect(followers()).toBe(1);
});

test(`an organization has ${SUBSCRIPTIONS_MAX} places, and has them again`, async () => {
  const { h, url } = await open();
  // One that takes no stream and one that is refused take no place.
  await ask(url, h, { accept: 'application/json' });
  await ask(url, h, { token: h.demo.callers.viewer });
  const taken = await Promise.all(Array.from({ length: SUBSCRIPTIONS_MAX }, () => ask(url, h)));
  const refused = await subscribed(url, h.demo.callers.admin);
  expect(await refused.ended).toBe('complete');
  expect(refused.refused).toEqual([
    {
      code: 'TOO_MANY_SUBSCRIPTIONS',
      message: `Your organization has ${SUBSCRIPTIONS_MAX} subscriptions open, and no more are possible.`,
    },
  ]);
  const others = await subscribed(url, h.demo.callers.outsider);
  expect(others.refused).toEqual([]);

  taken[0]?.leave();
  const accepted = await vi.waitUntil(
    async () => {
      const { until, leave } = await ask(url, h);
      const text = await until((come) => come.length > HEARTBEAT.length);
      return text.includes('TOO_MANY') ? undefined : { leave };
    },
    { timeout: 10_000 },
  );
  accepted.leave();
});

test('a fault ends the stream with the fixed text, and is logged under the request', async () => {
  const lines: string[] = [];
  const logTo = { write: (line: string) => lines.push(line) };
  const { h, url, followers } = await open({ config: { logLevel: 'error' }, logTo });
  const { response, until } = await ask(url, h);
  const other = await past(h.folder);
  await other.all('alter table ledger rename to ledger_away');
  const text = withoutHeartbeats(await until(() => false));
  const extensions = { code: 'INTERNAL_SERVER_ERROR' };
  const [, data = ''] = /^event: next\ndata: (.+)\n\nevent: complete\ndata:\n\n$/.exec(text) ?? [];
  expect(JSON.parse(data)).toEqual({
    errors: [
      { message: 'An unexpected error occurred.', locations: [expect.anything()], extensions },
    ],
  });
  expect(followers()).toBe(0);
  const faults = lines.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'fault');
  expect(faults).toEqual([
    expect.objectContaining({
      reqId: response.headers.get('x-request-id'),
      err: expect.objectContaining({
        message: expect.stringMatching(/no such table: ledger|"ledger" does not exist/),
      }),
    }),
  ]);
});
