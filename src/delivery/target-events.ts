import type { Kysely } from 'kysely';
import type { Tables, Target } from '../../db/tables.ts';
import { append } from '../ledger.ts';

/** When an event is recorded, and the id of its entry. */
interface At {
  readonly atMs: number;
  readonly newId: () => string;
}

/**
 * Records what the gateway itself has seen of a target.
 *
 * @returns the targets that are owed the entry
 */
export async function recordTargetEvent(
  tx: Kysely<Tables>,
  target: Target,
  action: 'stuck' | 'late',
  comment: string,
  { atMs, newId }: At,
): Promise<readonly Target[]> {
  const { owed } = await append(tx, {
    id: newId(),
    at_ms: atMs,
    organization_id: target.organization_id,
    action,
    kind: target.kind,
    target_id: target.id,
    target: target.name,
    outcome: 'done',
    refusal: null,
    reason: null,
    comment,
    actor: 'gateway',
    actor_id: null,
    surface: 'gateway',
    request_id: '',
  });
  return owed;
}

/** Records that a target has not acknowledged within the bound, where that is not known yet. */
export async function recordLate(
  tx: Kysely<Tables>,
  target: Target,
  sinceMs: number,
  { effectBoundMs, ...at }: At & { readonly effectBoundMs: number },
): Promise<readonly Target[]> {
  const { numUpdatedRows } = await tx
    .updateTable('targets')
    .set({ late_since_ms: sinceMs })
    .where('id', '=', target.id)
    .where('removed_at_ms', 'is', null)
    .where('late_since_ms', 'is', null)
    .executeTakeFirst();
  // Removed since it was looked at, or recorded before.
  if (numUpdatedRows === 0n) return [];
  const since = new Date(sinceMs).toISOString();
  const comment = `Not acknowledged within ${effectBoundMs} ms: waiting since ${since}`;
  return await recordTargetEvent(tx, target, 'late', comment, at);
}
