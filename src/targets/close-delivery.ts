import { type Kysely, sql } from 'kysely';
import type { Delivery, Tables, Target } from '../../db/tables.ts';
import { isOpen, isStuck } from '../delivery/open.ts';
import { NotFound } from '../refusals.ts';
import { type Changed, type OfTarget, onTarget } from './operation.ts';
import { DeliveryFinished } from './refusals.ts';

export interface Closing extends OfTarget {
  /** The id of the ledger entry that is to be delivered no more. */
  readonly revocationId: string;
  readonly reason: string;
}

/** Lets a delivery be that has not arrived: somebody has seen to it, and says how. */
export const closeDelivery = onTarget<Closing, Changed, NotFound | DeliveryFinished>({
  action: 'close',
  refusals: [DeliveryFinished],
  describe: ({ revocationId }) => revocationId,

  async change(tx, target, { revocationId, reason }, { actor, atMs }) {
    const delivery = await findDelivery(tx, target, revocationId);
    if (delivery === undefined) return new NotFound('delivery');
    if (delivery.acknowledged_at_ms !== null) return new DeliveryFinished('acknowledged');
    if (delivery.closed_at_ms !== null) return new DeliveryFinished('closed');
    await tx
      .updateTable('deliveries')
      .set({ closed_at_ms: atMs, closed_by: actor, closed_reason: reason })
      .where('seq', '=', delivery.seq)
      .where('target_id', '=', target.id)
      .execute();
    return { target };
  },
});

/** Of a revocation any delivery; of another entry, which no index finds, one that is not finished. */
async function findDelivery(
  tx: Kysely<Tables>,
  target: Target,
  entryId: string,
): Promise<Delivery | undefined> {
  const ofTarget = tx
    .selectFrom('deliveries')
    .innerJoin('ledger', 'ledger.seq', 'deliveries.seq')
    .selectAll('deliveries')
    .where('deliveries.target_id', '=', target.id)
    .where('ledger.organization_id', '=', target.organization_id)
    .where('ledger.id', '=', entryId);
  const ofRevocation = ofTarget
    .where('ledger.action', '=', sql.lit('revoke'))
    .where('ledger.outcome', '=', sql.lit('done'));
  for (const query of [ofRevocation, ofTarget.where(isStuck), ofTarget.where(isOpen)]) {
    const delivery = await query.executeTakeFirst();
    if (delivery !== undefined) return delivery;
  }
  return undefined;
}
