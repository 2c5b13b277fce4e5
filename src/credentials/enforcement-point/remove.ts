import type { Transaction } from 'kysely';
import type { Tables } from '../../../db/tables.ts';
import { closeFirst } from '../../delivery/close-removed.ts';

/** Removes the target of a point that is revoked; what it is still owed is closed from then on. */
export async function removePoint(
  tx: Transaction<Tables>,
  id: string,
  actor: string,
  atMs: number,
): Promise<void> {
  await tx
    .updateTable('targets')
    .set({ removed_at_ms: atMs, ...(await closeFirst(tx, id, actor, atMs)) })
    .where('id', '=', id)
    .where('removed_at_ms', 'is', null)
    .execute();
}
