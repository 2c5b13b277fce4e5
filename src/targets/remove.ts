import { isOpen, isStuck } from '../delivery/open.ts';
import { type Changed, type OfTarget, onTarget, setTarget } from './operation.ts';
import { WrongKind } from './refusals.ts';

/** Removes a webhook or an environment: it is told nothing more, not even what it is owed. */
export const removeTarget = onTarget<OfTarget, Changed, WrongKind>({
  action: 'remove',
  refusals: [WrongKind],

  async change(tx, target, _input, { actor, atMs }) {
    if (target.kind === 'enforcement-point') {
      return new WrongKind('An enforcement point is removed by revokeEnforcementPoint.');
    }
    for (const unfinished of [isOpen, isStuck]) {
      await tx
        .updateTable('deliveries')
        .set({ closed_at_ms: atMs, closed_by: actor, closed_reason: 'The target was removed' })
        .where('target_id', '=', target.id)
        .where(unfinished)
        .execute();
    }
    return await setTarget(tx, target, {
      ...{ removed_at_ms: atMs, late_since_ms: null },
      // Nothing will be signed with them.
      ...{ secret_jwe: '', previous_secret_jwe: null, previous_secret_until_ms: null },
    });
  },
});
