import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { OUTBOX_COUNT_MAX } from '../src/observability/outbox.ts';
import { createPrometheusMetrics } from '../src/observability/prometheus.ts';
import { engine, past } from './engine.ts';
import { makePoint } from './feed-client.ts';
import { openObserved } from './observed.ts';
import { mutate, revokeKey } from './targets.ts';
import { withStuck } from './unwell.ts';

/** What Prometheus reads of the database and of the writing. */

const columns = `organization_id, at_ms, action, kind, target_id, target, outcome, refusal, reason,
  comment, actor, actor_id, surface, request_id`;

test('commits, and how many changes each had', async () => {
  const { h, scrape } = await openObserved({ count: 30 });
  const before = await scrape();
  await Promise.all(h.demo.apiKey.map((_key, i) => revokeKey(h, i)));
  const after = await scrape();
  const more = (name: string) => after.sum(name) - before.sum(name);
  const commits = more('gateway_commit_jobs_count');
  expect(more('gateway_commit_jobs_sum')).toBe(30);
  // They came together.
  expect(commits).toBeLessThan(30);
  expect(more('gateway_commit_duration_seconds_count')).toBe(commits);
  expect(more('gateway_commit_duration_seconds_sum')).toBeGreaterThan(0);
  expect(after.sum('gateway_commit_failures_total')).toBe(0);
  expect(after.sum('gateway_write_queue_jobs')).toBe(0);
});

test('what waits to be written while nothing can be', async () => {
  const { h, scrape } = await openObserved();
  const waiting = async () => (await scrape()).sum('gateway_write_queue_jobs');
  const other = await past(h.folder);
  await other.all(
    engine === 'sqlite' ? 'begin immediate' : 'begin; lock table write_turns in exclusive mode',
  );
  const first = revokeKey(h, 0);
  await setTimeout(100);
  // It has its turn, which another process holds up.
  const later = [1, 2].map((i) => revokeKey(h, i));
  await expect.poll(waiting).toBe(2);
  await other.all('commit');
  await Promise.all([first, ...later]);
  expect(await waiting()).toBe(0);
});

test('a database that cannot be read takes its own figures with it, and no others', async () => {
  const { h, scrape } = await openObserved();
  expect((await scrape()).sum('gateway_database_up')).toBe(1);
  const other = await past(h.folder);
  await other.all('alter table deliveries rename to deliveries_away');
  const read = await scrape();
  expect(read.sum('gateway_database_up')).toBe(0);
  expect(read.samples.filter(({ name }) => name.startsWith('gateway_outbox'))).toEqual([]);
  expect(read.sum('gateway_commit_jobs_count')).toBeGreaterThan(0);
  expect(read.sum('process_resident_memory_bytes')).toBeGreaterThan(0);
  expect(read.sum('nodejs_eventloop_lag_p99_seconds')).toBeGreaterThan(0);
  await other.all('alter table deliveries_away rename to deliveries');
  expect((await scrape()).sum('gateway_database_up')).toBe(1);
});

test('what is stuck is counted, and what has piled up only so far', async () => {
  const { h, hook } = await withStuck();
  const metrics = createPrometheusMetrics();
  metrics.watch(h.running.gateway);
  const stuck = (count: number) =>
    `gateway_outbox_stuck_deliveries{target_kind="webhook"} ${count}\n`;
  expect(await metrics.text()).toContain(stuck(1));
  await mutate(h, 'removeTarget', { targetId: hook.id }, '__typename');
  expect(await metrics.text()).toContain(stuck(0));

  const point = await makePoint(h);
  const other = await past(h.folder);
  await other.all(
    `insert into ledger (seq, id, ${columns})
     with recursive n(i) as (select 1 union all select i + 1 from n where i <= ${OUTBOX_COUNT_MAX})
     select n.i + (select max(seq) from ledger), 'entry-' || n.i, ${columns}
     from n, ledger where seq = 1`,
  );
  await other.all(
    `insert into deliveries (seq, target_id, attempts)
     select seq, '${point.id}', 0 from ledger where id like 'entry-%'`,
  );
  const open = `gateway_outbox_open_deliveries{target_kind="enforcement-point"} ${OUTBOX_COUNT_MAX}\n`;
  expect(await metrics.text()).toContain(open);
});

test('every answer of 429 is counted by surface', async () => {
  const metrics = createPrometheusMetrics();
  const answer = { method: 'POST', status: 429, seconds: 0.001 };
  for (const route of ['/oauth/token', '/graphql', '/graphql', undefined]) {
    metrics.answered({ ...answer, route });
  }
  const text = await metrics.text();
  const limited = [
    ...text.matchAll(/^gateway_rate_limited_requests_total\{surface="(\w+)"\} (\d)/gm),
  ];
  expect(limited.map(([, surface, count]) => [surface, count])).toEqual([
    ['graphql', '2'],
    ['oauth', '1'],
    ['feed', '0'],
    ['rest', '1'],
  ]);
});
