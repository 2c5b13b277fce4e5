import { type Kysely, sql } from 'kysely';
import type { Tables, Target } from '../../db/tables.ts';
import { prepare } from '../database/prepare.ts';
import { isOpen } from '../delivery/open.ts';
import { recordLate } from '../delivery/target-events.ts';
import type { Gateway } from '../gateway.ts';
import { MOMENTS_MAX, type Moment } from './told.ts';

/** Deliveries that are recorded at once, at the most: revocations wait no longer for it. */
const DELIVERIES_MAX = 2_000;

/**
 * Records that a point has applied everything up to an entry. What was acknowledged before, or closed,
 * stays as it is; of what it was not told here, it is not said when it was.
 *
 * @param told up to which entries it was told when
 */
export async function acknowledge(
  gateway: Pick<Gateway, 'writes' | 'now' | 'newId' | 'effectBoundMs' | 'announce' | 'metrics'>,
  targetId: string,
  seq: number,
  told: readonly Moment[],
): Promise<void> {
  const { writes, now, newId, effectBoundMs, metrics } = gateway;
  for (let upTo: number | undefined; upTo !== seq; ) {
    let tookMs: readonly number[] = [];
    const owed = await writes.run(async (tx): Promise<readonly Target[]> => {
      const [oldest, last] = await portion(tx, targetId, seq);
      upTo = last?.seq ?? seq;
      if (oldest === undefined) return [];
      const atMs = now();
      if (metrics !== undefined) tookMs = await sinceRevoked(tx, targetId, upTo, atMs);
      await record(tx, targetId, upTo, atMs, told);
      if (atMs - oldest.at_ms <= effectBoundMs) return [];
      const target = await tx
        .selectFrom('targets')
        .selectAll()
        .where('id', '=', targetId)
        .executeTakeFirstOrThrow();
      return await recordLate(tx, target, oldest.at_ms, { atMs, newId, effectBoundMs });
    });
    for (const ms of tookMs) metrics?.tookEffect('enforcement-point', ms);
    if (owed.length > 0) gateway.announce(owed);
  }
}

/** How long ago each revocation was that is acknowledged with this. */
async function sinceRevoked(
  tx: Kysely<Tables>,
  targetId: string,
  upTo: number,
  atMs: number,
): Promise<number[]> {
  const { rows } = await openRevocations(tx, { targetId, upTo });
  return rows.map(({ at_ms }) => atMs - at_ms);
}

const openRevocations = prepare<{ targetId: string; upTo: number }, { at_ms: number }>((db, slot) =>
  db
    .selectFrom('deliveries')
    .innerJoin('ledger', 'ledger.seq', 'deliveries.seq')
    .select('ledger.at_ms')
    .where('deliveries.target_id', '=', slot('targetId'))
    .where('deliveries.seq', '<=', slot('upTo'))
    .where(isOpen)
    .where('ledger.action', '=', sql.lit('revoke')),
);

/** The oldest thing that is owed up to an entry, and the last of a portion, where there is more than one. */
async function portion(tx: Kysely<Tables>, targetId: string, seq: number) {
  const owed = tx
    .selectFrom('deliveries')
    .innerJoin('ledger', 'ledger.seq', 'deliveries.seq')
    .select(['deliveries.seq', 'ledger.at_ms'])
    .where('deliveries.target_id', '=', targetId)
    .where('deliveries.seq', '<=', seq)
    .where(isOpen)
    .orderBy('deliveries.seq')
    .limit(1);
  const oldest = await owed.executeTakeFirst();
  return [oldest, oldest && (await owed.offset(DELIVERIES_MAX).executeTakeFirst())] as const;
}

async function record(
  tx: Kysely<Tables>,
  targetId: string,
  seq: number,
  atMs: number,
  told: readonly Moment[],
): Promise<void> {
  // Always as many, so that there is one statement to prepare.
  const moments = Array.from({ length: MOMENTS_MAX }, (_, i) => told[i] ?? { seq: 0, atMs });
  const upTo = Math.max(...moments.map((moment) => moment.seq));
  const when = moments.map((moment) => sql`when seq <= ${moment.seq} then ${moment.atMs}`);
  await tx
    .updateTable('deliveries')
    .set({
      acknowledged_at_ms: atMs,
      attempts: sql<number>`case when attempts = 0 and seq <= ${upTo} then 1 else attempts end`,
      notified_at_ms: sql<number>`case ${sql.join(when, sql` `)} else notified_at_ms end`,
    })
    .where('target_id', '=', targetId)
    .where('seq', '<=', seq)
    .where(isOpen)
    .execute();
}
