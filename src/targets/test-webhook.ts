import { onTarget } from './operation.ts';

/** Owes a webhook an entry that says nothing but that it can be told. */
export const testWebhook = onTarget({
  action: 'test',
  kind: 'webhook',
  refusals: [],
  change: async (_tx, target) => ({ target, deliverTo: [target] }),
});
