import { expect, test } from 'vitest';
import { addressOf } from './environments.ts';
import { followFeed, isPosition, makePoint } from './feed-client.ts';
import { listen } from './loopback.ts';
import { openObserved } from './observed.ts';
import { until } from './targets.ts';

/** Requests that do not end with their answer. */

test('streams are counted when they end, and are not timed', async () => {
  const { h, url, scrape } = await openObserved();
  const point = await makePoint(h);
  const feed = await followFeed(url, point.token);
  await feed.until(isPosition);
  const leaving = new AbortController();
  const subscription = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${h.demo.callers.admin}`,
      ...{ accept: 'text/event-stream', 'content-type': 'application/json' },
    },
    body: JSON.stringify({ query: 'subscription { revocations { cursor } }' }),
    signal: leaving.signal,
  });
  expect(subscription.headers.get('content-type')).toContain('text/event-stream');
  const counted = async (route: string) =>
    (await scrape()).sum('gateway_http_requests_total', { route, status: '200' });
  const before = await counted('/graphql');
  expect(await counted('/feed')).toBe(0);
  feed.close();
  leaving.abort();
  await until(async () => expect(await counted('/feed')).toBe(1));
  await until(async () => expect(await counted('/graphql')).toBe(before + 1));
  const read = await scrape();
  const timed = (route: string) =>
    read.sum('gateway_http_request_duration_seconds_count', { route });
  expect([timed('/feed'), timed('/graphql')]).toEqual([0, before]);
});

test('a client that leaves before its answer is a 499', async () => {
  const silent = await listen(() => undefined);
  const environments = [{ name: 'production', url: silent.url }];
  const { h, url, scrape } = await openObserved({ environments });
  const { projectName, username } = addressOf(h);
  const path = `/apiops/projects/${projectName}/credentials/${username}/jwk/validation/`;
  const leaving = new AbortController();
  const asked = fetch(`${url}${path}`, {
    method: 'DELETE',
    headers: { authorization: `Bearer ${h.demo.callers.admin}` },
    signal: leaving.signal,
  });
  await until(() => expect(silent.received).toHaveLength(1));
  leaving.abort();
  await expect(asked).rejects.toThrow();
  await until(async () =>
    expect((await scrape()).sum('gateway_http_requests_total', { status: '499' })).toBe(1),
  );
  // What it asked for is done all the same.
  expect((await scrape()).sum('gateway_revocations_total', { kind: 'jwk-validation' })).toBe(1);
});
