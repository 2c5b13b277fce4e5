import type { Delivery } from '../../db/tables.ts';
import type { Loader } from '../credentials/load.ts';
import { TARGET_REMOVED } from '../delivery/close-removed.ts';

/** What is known of bringing one revocation to one target. */
export interface TargetEffect extends Delivery {
  readonly name: string;
  readonly kind: string;
}

/** Where a revocation stands at all the targets that must learn of it. */
export type EffectState = 'EFFECTIVE' | 'PENDING' | 'PARTIAL' | 'STUCK';

/** Where it stands at one target; `CLOSED`: somebody decided that it need not arrive. */
export type TargetEffectState = 'EFFECTIVE' | 'PENDING' | 'STUCK' | 'CLOSED';

export function stateAt(delivery: Delivery): TargetEffectState {
  if (delivery.acknowledged_at_ms !== null) return 'EFFECTIVE';
  if (delivery.closed_at_ms !== null) return 'CLOSED';
  return delivery.stuck_at_ms === null ? 'PENDING' : 'STUCK';
}

/** The worst that needs somebody counts first; what was closed is waited for no more. */
export function stateOver(deliveries: readonly Delivery[]): EffectState {
  const states = new Set(deliveries.map(stateAt));
  if (states.has('STUCK')) return 'STUCK';
  if (!states.has('PENDING')) return 'EFFECTIVE';
  return states.has('EFFECTIVE') ? 'PARTIAL' : 'PENDING';
}

/** The longest time from the revocation to a target's acknowledgement; null: none had to acknowledge. */
export function slowestMs(atMs: number, deliveries: readonly Delivery[]): number | null {
  const took = deliveries.flatMap(({ acknowledged_at_ms: at }) => (at === null ? [] : [at - atMs]));
  return took.length === 0 ? null : Math.max(0, ...took);
}

/** A removed target is waited for no more, also while what it was owed is still being closed. */
function asClosed<Row extends TargetEffect & { readonly removed_at_ms: number | null }>(row: Row) {
  if (row.removed_at_ms === null || stateAt(row) === 'EFFECTIVE' || stateAt(row) === 'CLOSED') {
    return row;
  }
  return { ...row, closed_at_ms: row.removed_at_ms, closed_reason: TARGET_REMOVED };
}

/** What became of ledger entries, by `seq`, target by target. */
export const effectOf: Loader<number, TargetEffect[]> = {
  async batch(db, organizationId, seqs) {
    const rows = await db
      .selectFrom('deliveries')
      .innerJoin('targets', 'targets.id', 'deliveries.target_id')
      .selectAll('deliveries')
      .select(['targets.name', 'targets.kind', 'targets.removed_at_ms'])
      .where('deliveries.seq', 'in', seqs)
      .where('targets.organization_id', '=', organizationId)
      .orderBy('deliveries.seq')
      .orderBy('deliveries.target_id')
      .execute();
    const bySeq = Map.groupBy(rows.map(asClosed), ({ seq }) => seq);
    return seqs.map((seq) => bySeq.get(seq) ?? []);
  },
};
