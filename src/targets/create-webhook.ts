import type { Operation } from '../operation.ts';
import { missingPermissions } from '../permissions.ts';
import { NameTaken, PermissionDenied, TooManyTargets } from '../refusals.ts';
import { refusalOfNew } from './limit.ts';
import type { Changed } from './operation.ts';
import { newTarget } from './row.ts';

/** What a webhook is: where it is told, and what of. */
export interface WebhookSettings {
  readonly name: string;
  readonly url: string;
  /** Types of events; null: all. */
  readonly events: readonly string[] | null;
  /** Kinds of credentials; null: all. */
  readonly kinds: readonly string[] | null;
}

export interface NewWebhook extends WebhookSettings {
  readonly id: string;
  /** Its secret, sealed. */
  readonly secretJwe: string;
}

/** Makes a webhook of the caller's organization: from then on it is told of what happens there. */
export const createWebhook: Operation<
  NewWebhook,
  Changed,
  PermissionDenied | NameTaken | TooManyTargets
> = {
  action: 'create',
  kind: 'webhook',
  refusals: [PermissionDenied, NameTaken, TooManyTargets],
  describe: ({ name }) => name,

  async run(tx, { id, name, url, events, kinds, secretJwe }, { actor }, { atMs }) {
    const missing = missingPermissions(actor.permissions, ['target:manage']);
    if (missing.length > 0) return { refused: new PermissionDenied(missing) };
    const { organizationId } = actor;
    const refused = await refusalOfNew(tx, organizationId, 'webhook', name);
    if (refused !== undefined) return { refused };
    const target = newTarget({
      ...{ id, name, url, kind: 'webhook', organization_id: organizationId },
      ...{ scope_id: organizationId, secret_jwe: secretJwe, created_at_ms: atMs },
      ...{ events: listOf(events), kinds: listOf(kinds) },
    });
    await tx.insertInto('targets').values(target).execute();
    return { done: { target }, targetId: id };
  },
};

/** A list as a row keeps it. */
export const listOf = (list: readonly string[] | null): string | null =>
  list === null ? null : JSON.stringify([...new Set(list)]);
