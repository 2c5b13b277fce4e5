import { targetGraph, targetIdField } from './graph.ts';
import type { OfTarget } from './operation.ts';
import { removeTarget } from './remove.ts';

export const removeTargetGraph = targetGraph(removeTarget, {
  mutation: 'removeTarget',
  description:
    'Removes a webhook or an environment: it is told nothing more, and what it is owed is closed. An enforcement point is removed by `revokeEnforcementPoint`.',
  inputDescription: 'Which target to remove.',
  fields: (t) => ({ targetId: targetIdField(t, 'webhook or the environment') }),
  shows: 'target',
  prepare: async ({ targetId }: OfTarget) => ({ input: { targetId } }),
});
