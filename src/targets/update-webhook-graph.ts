import { targetGraph, targetIdField } from './graph.ts';
import { updateWebhook } from './update-webhook.ts';
import { checkWebhook, type GivenWebhook, kindsOf, webhookFields } from './webhook-fields.ts';

type Given = GivenWebhook & { targetId: string };

export const updateWebhookGraph = targetGraph(updateWebhook, {
  mutation: 'updateWebhook',
  description:
    'Changes a webhook. What it is owed already goes to its new URL, at the next attempt; `resumeTarget` has that made at once.',
  inputDescription: 'Which webhook, and what changes.',
  fields: (t, types, builder) => ({
    targetId: targetIdField(t, 'webhook'),
    ...webhookFields(t, types, builder, 'update'),
  }),
  shows: 'webhook',
  check: checkWebhook,
  prepare: async ({ targetId, name, url, events, kinds }: Given) => ({
    input: {
      ...{ targetId, name: name ?? undefined, url: url ?? undefined },
      ...{ events, kinds: kindsOf(kinds) },
    },
  }),
});
