import type { Transaction } from 'kysely';
import type { Tables } from '../../../db/tables.ts';
import { isOpen } from '../../delivery/open.ts';

/** Removes the target of a point that is revoked, and closes what it is still owed. */
export async function removePoint(
  tx: Transaction<Tables>,
  id: string,
  actor: string,
  atMs: number,
): Promise<void> {
  await tx
    .updateTable('targets')
    .set({ removed_at_ms: atMs, late_since_ms: null })
    .where('id', '=', id)
    .where('removed_at_ms', 'is', null)
    .execute();
  await tx
    .updateTable('deliveries')
    .set({ closed_at_ms: atMs, closed_by: actor, closed_reason: 'The target was removed' })
    .where('target_id', '=', id)
    .where(isOpen)
    .execute();
}
