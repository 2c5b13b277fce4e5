import { closeFirst } from '../delivery/close-removed.ts';
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
    const removed = await setTarget(tx, target, {
      ...{ removed_at_ms: atMs, ...(await closeFirst(tx, target.id, actor, atMs)) },
      // Nothing will be signed with them.
      ...{ secret_jwe: '', previous_secret_jwe: null, previous_secret_until_ms: null },
    });
    return { target: { ...removed.target, late_since_ms: null } };
  },
});
