import { targetGraph, targetIdField } from './graph.ts';
import type { OfTarget } from './operation.ts';
import { testWebhook } from './test-webhook.ts';

export const testWebhookGraph = targetGraph(testWebhook, {
  mutation: 'testWebhook',
  description:
    'Tells a webhook of a test, of type `webhook.test`, whatever else it is told of. Answers with what came of the first attempt; it is tried again like everything that a webhook is told.',
  inputDescription: 'Which webhook to test.',
  fields: (t) => ({ targetId: targetIdField(t, 'webhook') }),
  shows: 'webhook',
  success: (t) => ({
    entryId: t.id({
      description: 'The id of the ledger entry, and of the message: its `webhook-id`.',
      resolve: ({ entry }) => entry.id,
    }),
    success: t.boolean({
      description: 'Whether the webhook has acknowledged it.',
      resolve: ({ attempts }) => attempts.every(({ success }) => success),
    }),
    message: t.string({
      description: 'What happened, for people.',
      resolve: ({ attempts }) => attempts[0]?.error ?? 'Delivered successfully',
    }),
  }),
  prepare: async ({ targetId }: OfTarget) => ({ input: { targetId } }),
});
