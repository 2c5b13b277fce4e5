import { type Kysely, sql } from 'kysely';
import type { Tables } from '../../db/tables.ts';
import type { Loader } from '../credentials/load.ts';

/** Revocations that are looked at, at the most: the newest of the window. */
export const REVOCATIONS_MAX = 10_000;

/** How long after it was answered a revocation was acknowledged: nearest ranks. */
export interface TimeToEffect {
  readonly count: number;
  readonly p50Ms: number | null;
  readonly p90Ms: number | null;
  readonly p99Ms: number | null;
  readonly maxMs: number | null;
}

export interface Window {
  readonly targetId: string;
  /** Only revocations from then on. */
  readonly sinceMs: number;
}

const nothing: TimeToEffect = { count: 0, p50Ms: null, p90Ms: null, p99Ms: null, maxMs: null };

/** Times to effect of targets, all of one window in one query. */
export const timeToEffect: Loader<Window, TimeToEffect> = {
  async batch(db, organizationId, windows) {
    const found = new Map<string, TimeToEffect>();
    const name = ({ targetId, sinceMs }: Window) => `${sinceMs} ${targetId}`;
    for (const sinceMs of new Set(windows.map((window) => window.sinceMs))) {
      const targetIds = windows.flatMap((each) => (each.sinceMs === sinceMs ? each.targetId : []));
      for (const { targetId, ...times } of await timesOf(db, organizationId, targetIds, sinceMs)) {
        found.set(name({ targetId, sinceMs }), times);
      }
    }
    return windows.map((window) => found.get(name(window)) ?? nothing);
  },
};

async function timesOf(
  db: Kysely<Tables>,
  organizationId: string,
  targetIds: readonly string[],
  sinceMs: number,
) {
  // Nearest rank: the least time within which so many hundredths were acknowledged.
  const percentile = (percent: number) =>
    sql<number>`max(case when place = (total * ${sql.lit(percent)} + 99) / 100 then ms end)`;
  return await db
    .with('recent', (query) =>
      query
        .selectFrom('ledger')
        .select(['seq', 'at_ms'])
        .where('organization_id', '=', organizationId)
        // Literals, so that the index of revocations serves them; ids are in the order of time.
        .where('action', '=', sql.lit('revoke'))
        .where('outcome', '=', sql.lit('done'))
        .where('id', '>=', firstIdOf(sinceMs))
        .orderBy('id', 'desc')
        .limit(REVOCATIONS_MAX),
    )
    .with('timed', (query) =>
      query
        .selectFrom('recent')
        .innerJoin('deliveries', 'deliveries.seq', 'recent.seq')
        .select('target_id')
        .select(sql<number>`acknowledged_at_ms - at_ms`.as('ms'))
        .select(
          sql<number>`row_number() over (partition by target_id order by acknowledged_at_ms - at_ms)`.as(
            'place',
          ),
        )
        .select(sql<number>`count(*) over (partition by target_id)`.as('total'))
        .where('target_id', 'in', targetIds)
        .where('acknowledged_at_ms', 'is not', null),
    )
    .selectFrom('timed')
    .select(({ fn }) => [
      'target_id as targetId',
      fn.countAll<number>().as('count'),
      percentile(50).as('p50Ms'),
      percentile(90).as('p90Ms'),
      percentile(99).as('p99Ms'),
      fn.max('ms').as('maxMs'),
    ])
    .groupBy('target_id')
    .execute();
}

/** The least UUIDv7 that can be made at a moment. */
export function firstIdOf(ms: number): string {
  const hex = Math.max(ms, 0).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
}
