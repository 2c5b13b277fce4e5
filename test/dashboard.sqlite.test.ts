import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { DISK_FREE_BYTES_MIN } from '../src/observability/disk.ts';
import { OUTBOX_COUNT_MAX } from '../src/observability/outbox.ts';
import { acknowledge, endOf, makePoint } from './feed-client.ts';
import { page, quoted, rows, section } from './markdown.ts';
import { openObserved, type Scrape } from './observed.ts';
import { type Named, readPromql } from './promql.ts';
import { makeHook, revokeKey, until } from './targets.ts';

/** The dashboard and the alerts ask for what a gateway says: no metric, label or value that is not there. */

interface Panel {
  readonly title: string;
  readonly type: string;
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}

const { panels } = JSON.parse(page('deploy/grafana-dashboard.json')) as { panels: Panel[] };
const targets = panels.flatMap(({ title, targets: asked = [] }) =>
  asked.map(({ expr, legendFormat }) => ({ title, expr, legendFormat })),
);

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly annotations: Readonly<Record<string, string>>;
}

const { groups } = parse(page('deploy/prometheus-alerts.yml')) as { groups: { rules: Rule[] }[] };
const rules = groups.flatMap((group) => group.rules);

/** What Prometheus itself adds to each sample, and says of each target. */
const ofPrometheus = ['instance', 'job'];

let read: Scrape;
let reading: Promise<Scrape> | undefined;

// Whichever test comes first opens the gateway, and closes it; what was read of it is kept.
beforeEach(async () => {
  reading ??= readOnce();
  read = await reading;
});

/** What is read of a gateway that has done what there is to count. */
async function readOnce(): Promise<Scrape> {
  const { h, url, scrape } = await openObserved();
  await makeHook(h, 'hook');
  const point = await makePoint(h);
  await revokeKey(h);
  await fetch(`${url}/service-accounts/x/tokens/y`, { method: 'DELETE' });
  await acknowledge(url, point.token, { seq: await endOf(h) });
  await answerUnavailable(h.folder, `${url}/health/ready`);
  return await until(async () => {
    const now = await scrape();
    expect(now.sum('gateway_time_to_effect_seconds_count')).toBe(2);
    expect(now.sum('gateway_refusals_total')).toBe(1);
    return now;
  });
}

/** Has a gateway answer 503, and go on. */
async function answerUnavailable(folder: string, url: string): Promise<void> {
  const answers = (status: number) =>
    until(async () => expect((await fetch(url)).status).toBe(status));
  const file = join(folder, 'gateway.db');
  renameSync(file, `${file}.away`);
  await answers(503);
  renameSync(`${file}.away`, file);
  await answers(200);
}

const samplesOf = (metric: string) => read.samples.filter(({ name }) => name === metric);

const labelsOf = (metric: string) =>
  metric === 'up'
    ? ofPrometheus
    : [...Object.keys(samplesOf(metric)[0]?.labels ?? {}), ...ofPrometheus];

function holds({ selectors, groupings }: Named): void {
  expect(selectors.length).toBeGreaterThan(0);
  for (const { metric, matchers } of selectors) {
    if (metric !== 'up') expect([metric, samplesOf(metric).length > 0]).toEqual([metric, true]);
    for (const { label, operator, value } of matchers) {
      expect(labelsOf(metric)).toContain(label);
      if (operator !== '=' || ofPrometheus.includes(label)) continue;
      expect(samplesOf(metric).map(({ labels }) => labels[label])).toContain(value);
    }
  }
  for (const { label, metrics } of groupings) {
    for (const metric of metrics) expect([metric, ...labelsOf(metric)]).toContain(label);
  }
}

describe('the dashboard', () => {
  test.each(targets)('$title: $expr', ({ expr, legendFormat }) => {
    const named = readPromql(expr);
    holds(named);
    const shown = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label);
    const { groupings, selectors } = named;
    const there =
      groupings.length > 0
        ? groupings.map(({ label }) => label)
        : selectors.flatMap(({ metric }) => labelsOf(metric));
    for (const label of shown) expect(there).toContain(label);
  });

  test('shows every metric of the gateway', () => {
    const shown = targets.flatMap(({ expr }) =>
      readPromql(expr).selectors.map(({ metric }) => metric.replace(/_(bucket|sum|count)$/, '')),
    );
    const told = [...read.text.matchAll(/^# TYPE (gateway_\w+)/gm)].map(([, name = '']) => name);
    expect(told.length).toBeGreaterThan(12);
    expect(told.filter((name) => !shown.includes(name))).toEqual([]);
  });

  test('and the page about operations has each, with its labels', () => {
    const said = rows(section(page('docs/operations.md'), '## Metrics')).map(
      ([name = '', labels = '']) => [quoted(name)[0], ...quoted(labels)],
    );
    const told = [...read.text.matchAll(/^# TYPE (gateway_\w+)/gm)].map(([, name = '']) => name);
    const there = told.map((name) => {
      const [sample] = [...samplesOf(name), ...samplesOf(`${name}_count`)];
      return [name, ...Object.keys(sample?.labels ?? {})];
    });
    expect(said.toSorted()).toEqual(there.toSorted());
  });

  test('says of each panel what it shows, in its own place', () => {
    const shown = panels.filter(({ type }) => type !== 'row');
    expect(shown.filter((panel) => (panel.targets ?? []).length === 0)).toEqual([]);
    expect(new Set(panels.map((panel) => (panel as { id?: number }).id)).size).toBe(panels.length);
  });
});

describe('the alerts', () => {
  test.each(rules)('$alert', ({ expr, annotations }) => {
    const named = readPromql(expr);
    holds(named);
    const { groupings } = named;
    const there = groupings.length > 0 ? groupings.map(({ label }) => label) : ofPrometheus;
    const said = Object.values(annotations).join();
    for (const [, label] of said.matchAll(/\$labels\.(\w+)/g)) expect(there).toContain(label);
  });

  test('tell faults from what is answered with 503 on purpose', () => {
    const counts = (name: string, status: string) => {
      const { selectors } = readPromql(rules.find(({ alert }) => alert === name)?.expr ?? '');
      const [asked] = selectors;
      expect(asked?.metric).toBe('gateway_http_requests_total');
      return asked?.matchers.every(({ operator, value }) =>
        operator.startsWith('!')
          ? !new RegExp(`^(?:${value})$`).test(status)
          : new RegExp(`^(?:${value})$`).test(status),
      );
    };
    const statuses = ['200', '429', '499', '500', '503', '504'];
    const counted = (name: string) => statuses.filter((status) => counts(name, status));
    expect(counted('GatewayErrors')).toEqual(['500', '504']);
    expect(counted('GatewayUnavailable')).toEqual(['503']);
  });

  test('begin where the gateway itself begins to worry', () => {
    const disk = rules.find(({ alert }) => alert === 'GatewayDiskAlmostFull');
    expect(disk?.expr).toBe(`gateway_database_disk_free_bytes < ${DISK_FREE_BYTES_MIN}`);
  });
});

test('names are as Prometheus has them: base units last, and _total where it counts up', () => {
  const types = [...read.text.matchAll(/^# TYPE (gateway_\w+) (\w+)$/gm)];
  const unit = /_(?:seconds|bytes|deliveries|jobs|up)$/;
  const wrong = types.filter(([, name = '', type]) =>
    type === 'counter' ? !name.endsWith('_total') : !unit.test(name),
  );
  expect(wrong.map(([line]) => line)).toEqual([]);
  expect(read.text).toContain(`up to ${OUTBOX_COUNT_MAX}.`);
});

test('an expression that is none, or names what is not there, does not pass', () => {
  expect(() => readPromql('rate(gateway_revocations_total[5m]')).toThrow('No PromQL');
  expect(() => holds(readPromql('gateway_revocation_total'))).toThrow();
  expect(() => holds(readPromql('sum by (route) (gateway_revocations_total)'))).toThrow();
  expect(() => holds(readPromql('gateway_revocations_total{kind="key"}'))).toThrow();
});
