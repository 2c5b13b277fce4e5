import { createWebhook } from './create-webhook.ts';
import { targetGraph } from './graph.ts';
import { newWebhookSecret } from './row.ts';
import { checkWebhook, type GivenWebhook, kindsOf, webhookFields } from './webhook-fields.ts';

type Given = GivenWebhook & { name: string; url: string };

export const createWebhookGraph = targetGraph(createWebhook, {
  mutation: 'createWebhook',
  description:
    'Makes a webhook: a URL that is told of each event of the organization, signed as Standard Webhooks say.',
  inputDescription: 'What the webhook is called, where it is told, and what of.',
  fields: (t, types, builder) => webhookFields(t, types, builder, 'create'),
  shows: 'webhook',
  secret: true,
  check: checkWebhook,
  prepare: async ({ name, url, events = null, kinds }: Given, { gateway }) => {
    const secret = newWebhookSecret();
    const secretJwe = await gateway.secretKey.seal(secret);
    const id = gateway.newId();
    return { input: { id, name, url, events, kinds: kindsOf(kinds) ?? null, secretJwe }, secret };
  },
});
