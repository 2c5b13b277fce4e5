import { sql } from 'kysely';
import { isOpen } from '../delivery/open.ts';
import type { Gateway } from '../gateway.ts';
import { MOMENTS_MAX, type Moment } from './told.ts';

/**
 * Records that a point has applied everything up to an entry: one statement, however much that is. What
 * was acknowledged before, or closed, stays as it is.
 *
 * @param told up to which entries it was told when
 */
export async function acknowledge(
  { writes, now }: Pick<Gateway, 'writes' | 'now'>,
  targetId: string,
  seq: number,
  told: readonly Moment[],
): Promise<void> {
  await writes.run(async (tx) => {
    const atMs = now();
    // Always as many, so that there is one statement to prepare.
    const moments = Array.from({ length: MOMENTS_MAX }, (_, i) => told[i] ?? { seq, atMs });
    const when = moments.map((moment) => sql`when seq <= ${moment.seq} then ${moment.atMs}`);
    await tx
      .updateTable('deliveries')
      .set({
        acknowledged_at_ms: atMs,
        attempts: sql<number>`case when attempts = 0 then 1 else attempts end`,
        notified_at_ms: sql<number>`case ${sql.join(when, sql` `)} else cast(${atMs} as bigint) end`,
      })
      .where('target_id', '=', targetId)
      .where('seq', '<=', seq)
      .where(isOpen)
      .execute();
  });
}
