import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { PROBE_KEPT_MS } from '../src/database/probe.ts';
import { engine, past } from './engine.ts';
import { makePoint } from './feed-client.ts';
import { openGateway } from './harness.ts';
import { openObserved } from './observed.ts';
import { movableClock, openReaching, revokeKey, until } from './targets.ts';

/** What is told to anybody who asks how the gateway is. */

const ready = async (h: { rest: Awaited<ReturnType<typeof openGateway>>['rest'] }) => {
  const { status, headers, body } = await h.rest('GET', '/health/ready');
  return { status, retryAfter: headers['retry-after'], body: JSON.parse(body) as unknown };
};

/** The disk is the gateway's own where the database is a file. */
const disk = engine === 'sqlite' ? { disk: 'ok' } : {};

test('a gateway that is well says so of each thing, and nothing else', async () => {
  const h = await openGateway();
  expect(await ready(h)).toEqual({
    status: 200,
    retryAfter: undefined,
    body: { status: 'ok', checks: { database: 'ok', outbox: 'ok', ...disk } },
  });
});

test('a target that is behind the bound is said, and takes no gateway out of use', async () => {
  const clock = movableClock();
  const h = await openReaching({ now: clock.now });
  await makePoint(h);
  await revokeKey(h);
  expect((await ready(h)).body).toMatchObject({ status: 'ok' });
  clock.advance(6_000);
  await setTimeout(PROBE_KEPT_MS);
  expect(await ready(h)).toEqual({
    status: 200,
    retryAfter: undefined,
    body: { status: 'degraded', checks: { database: 'ok', outbox: 'degraded', ...disk } },
  });
});

test('a flood of questions writes once a second, and every answer tells the truth by then', async () => {
  const { h, scrape } = await openObserved();
  const commits = async () => (await scrape()).sum('gateway_commit_jobs_count');
  await setTimeout(PROBE_KEPT_MS);
  const before = await commits();
  for (let i = 0; i < 100; i++) expect((await ready(h)).status).toBe(200);
  expect((await commits()) - before).toBeLessThanOrEqual(2);
  await setTimeout(PROBE_KEPT_MS);
  expect((await ready(h)).status).toBe(200);
  expect((await commits()) - before).toBeGreaterThanOrEqual(2);
});

test('a database that takes nothing is 503, until it does', async () => {
  const h = await openGateway();
  const other = await past(h.folder);
  await other.all(
    engine === 'sqlite' ? 'begin immediate' : 'begin; lock table write_turns in exclusive mode',
  );
  await setTimeout(PROBE_KEPT_MS);
  expect(await ready(h)).toEqual({
    status: 503,
    retryAfter: '1',
    body: {
      status: 'unavailable',
      checks: { database: 'unavailable', outbox: 'unknown', ...disk },
    },
  });
  expect((await h.rest('GET', '/health/live')).status).toBe(200);
  expect((await h.rest('HEAD', '/health/ready')).status).toBe(503);
  await other.all('commit');
  await until(async () => expect((await ready(h)).status).toBe(200));
});
