import { Histogram, type Registry } from '@prometheus-io/client';
import type { AnsweredRequest } from './metrics.ts';
import { surfaceOf } from './surface.ts';
import { createTallies, type Tally } from './tally.ts';

/** What is kept of one method on one route. */
interface Series {
  readonly byStatus: Map<number, Tally>;
  readonly duration: { observe(seconds: number): void };
  readonly surface: string;
}

/** A path that no route has: one label value, whatever was asked for. */
const NO_ROUTE = 'none';

/** Counts and times requests. What is kept of a route is found by two lookups, and made at its first request. */
export function createRequestMetrics(registry: Registry): (request: AnsweredRequest) => void {
  const requests = createTallies(
    registry,
    'gateway_http_requests_total',
    'Requests, by the pattern of the route, method and status; 499: the client left before the answer.',
    ['route', 'method', 'status'],
  );
  const durations = new Histogram({
    name: 'gateway_http_request_duration_seconds',
    help: 'Time from the arrival of a request to the end of its answer. Event streams have none.',
    labelNames: ['route', 'method'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [registry],
  });
  const rateLimited = createTallies(
    registry,
    'gateway_rate_limited_requests_total',
    'Requests that a rate limit has refused: every answer of 429, by surface.',
    ['surface'],
  );
  const limitedBySurface = new Map(
    ['graphql', 'oauth', 'feed', 'rest'].map((surface) => [surface, rateLimited({ surface })]),
  );
  const byRoute = new Map<string | undefined, Map<string, Series>>();

  function seriesOf(route: string | undefined, method: string): Series {
    const ofRoute = byRoute.get(route) ?? new Map<string, Series>();
    byRoute.set(route, ofRoute);
    const labels = { route: route ?? NO_ROUTE, method };
    const series: Series = {
      byStatus: new Map(),
      duration: durations.labels(labels),
      surface: surfaceOf(route),
    };
    ofRoute.set(method, series);
    return series;
  }

  return ({ route, method, status, seconds }) => {
    const series = byRoute.get(route)?.get(method) ?? seriesOf(route, method);
    let tally = series.byStatus.get(status);
    if (tally === undefined) {
      tally = requests({ route: route ?? NO_ROUTE, method, status: String(status) });
      series.byStatus.set(status, tally);
    }
    tally.count++;
    if (seconds !== undefined) series.duration.observe(seconds);
    if (status === 429) (limitedBySurface.get(series.surface) as Tally).count++;
  };
}
