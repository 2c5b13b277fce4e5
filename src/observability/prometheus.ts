import { Counter, collectDefaultMetrics, Histogram, Registry } from '@prometheus-io/client';
import { createGauges, type Watched } from './gauges.ts';
import type { Metrics } from './metrics.ts';
import { targetKinds } from './outbox.ts';
import { createRequestMetrics } from './request-metrics.ts';
import { createTallies, type Tally } from './tally.ts';

/** Metrics that Prometheus can read. */
export interface PrometheusMetrics extends Metrics {
  /** Has what is only looked at when somebody asks read from this gateway. */
  watch(gateway: Watched): void;
  /** Everything, in the text format. */
  text(): Promise<string>;
  readonly contentType: string;
}

/** Makes them, with those of the process. No label has an id, a name or anything else that clients choose. */
export function createPrometheusMetrics(): PrometheusMetrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const answered = createRequestMetrics(registry);
  const refusals = createTallies(
    registry,
    'gateway_refusals_total',
    'Callers that were told no, by the code of the refusal and the surface.',
    ['code', 'surface'],
  );
  const revocations = createTallies(
    registry,
    'gateway_revocations_total',
    'Revocations that were committed by this gateway, by what was revoked.',
    ['kind'],
  );
  const attempts = createTallies(
    registry,
    'gateway_delivery_attempts_total',
    'Attempts of this gateway to tell a target, by its kind and what came of it.',
    ['target_kind', 'outcome'],
  );
  const timeToEffect = new Histogram({
    name: 'gateway_time_to_effect_seconds',
    help: 'Time from a revocation to the acknowledgement of a target that this gateway has recorded.',
    labelNames: ['target_kind'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600],
    registers,
  });
  const commitDuration = new Histogram({
    name: 'gateway_commit_duration_seconds',
    help: 'Time from the moment that a group of changes has its turn to the end of its commit.',
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
    registers,
  });
  const commitJobs = new Histogram({
    name: 'gateway_commit_jobs',
    help: 'Changes that went to the disk with one commit.',
    buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256],
    registers,
  });
  const commitFailures = new Counter({
    name: 'gateway_commit_failures_total',
    help: 'Commits that have failed: their changes were answered with 503.',
    registers,
  });
  const gauges = createGauges(registers);

  const refused = seriesBy((code: string, surface) => refusals({ code, surface: surface ?? '' }));
  const revoked = seriesBy((kind: string) => revocations({ kind }));
  const attempted = seriesBy((target_kind: string, outcome = '') =>
    attempts({ target_kind, outcome }),
  );
  const effects = new Map(
    targetKinds.map((kind) => [kind as string, timeToEffect.labels({ target_kind: kind })]),
  );
  // From the start, so that the first one shows as an increase.
  for (const kind of ['environment', 'webhook']) {
    for (const outcome of ['acknowledged', 'failed']) attempted(kind, outcome);
  }
  for (const kind of targetKinds) timeToEffect.zero({ target_kind: kind });

  return {
    answered,
    refused: (code, surface) => {
      refused(code, surface).count++;
    },
    revoked: (kind) => {
      revoked(kind).count++;
    },
    committed(jobs, seconds, failed) {
      if (failed) commitFailures.inc();
      else {
        commitDuration.observe(seconds);
        commitJobs.observe(jobs);
      }
    },
    attempted: (targetKind, acknowledged) => {
      attempted(targetKind, acknowledged ? 'acknowledged' : 'failed').count++;
    },
    // A clock that went back in the meantime would make it negative.
    tookEffect: (targetKind, ms) => effects.get(targetKind)?.observe(Math.max(ms, 0) / 1000),
    watch(gateway) {
      for (const { graph } of gateway.credentials) revoked(graph.kind);
      revoked('trusted-token');
      gauges.watch(gateway);
    },
    async text() {
      await gauges.read();
      return await registry.metrics();
    },
    contentType: registry.contentType,
  };
}

/** Finds a series by one text or two, and makes it when it is asked for first. */
function seriesBy(make: (first: string, second?: string) => Tally) {
  const made = new Map<string, Map<string | undefined, Tally>>();
  return (first: string, second?: string): Tally => {
    const found = made.get(first)?.get(second);
    if (found !== undefined) return found;
    const tally = make(first, second);
    made.set(first, (made.get(first) ?? new Map()).set(second, tally));
    return tally;
  };
}
