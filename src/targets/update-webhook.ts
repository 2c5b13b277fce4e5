import { NameTaken } from '../refusals.ts';
import { listOf, type WebhookSettings } from './create-webhook.ts';
import { isNameTaken } from './find.ts';
import { type Changed, type OfTarget, onTarget, setTarget } from './operation.ts';

/** What changes of a webhook; what is undefined stays. */
export type WebhookChange = OfTarget & {
  readonly [Setting in keyof WebhookSettings]: WebhookSettings[Setting] | undefined;
};

/** Changes a webhook. What it is owed already goes to its new URL. */
export const updateWebhook = onTarget<WebhookChange, Changed, NameTaken>({
  action: 'update',
  kind: 'webhook',
  refusals: [NameTaken],

  async change(tx, target, { name = target.name, url = target.url, events, kinds }) {
    const renamed = name !== target.name;
    if (renamed && (await isNameTaken(tx, target.scope_id, 'webhook', name))) {
      return new NameTaken();
    }
    return await setTarget(tx, target, {
      ...{ name, url },
      events: events === undefined ? target.events : listOf(events),
      kinds: kinds === undefined ? target.kinds : listOf(kinds),
    });
  },
});
