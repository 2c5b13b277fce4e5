import { COMMENT_MAX, checkComment, problem } from '../credentials/input.ts';
import { type Closing, closeDelivery } from './close-delivery.ts';
import { targetGraph, targetIdField } from './graph.ts';

export const closeDeliveryGraph = targetGraph(closeDelivery, {
  mutation: 'closeDelivery',
  description:
    'Lets a delivery be that has not arrived: it is tried no more, counts neither as pending nor as stuck, and what follows it goes on.',
  inputDescription: 'Which delivery to close, and why.',
  fields: (t) => ({
    revocationId: t.id({
      required: true,
      description: 'The id of the ledger entry; of a revocation, the id of that.',
    }),
    targetId: targetIdField(t, 'target'),
    reason: t.string({
      required: true,
      description: `Why it need not arrive, for the ledger: 1 to ${COMMENT_MAX} characters. No secrets.`,
    }),
  }),
  shows: 'target',
  wakes: true,
  check: ({ reason }: Closing) => [
    checkComment(reason, 'reason'),
    problem('reason', reason.trim() === '' ? 'Say why' : undefined),
  ],
  prepare: async ({ targetId, revocationId, reason }: Closing) => ({
    input: { targetId, revocationId, reason },
    comment: reason,
  }),
});
