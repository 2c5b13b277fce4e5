import { checkPathName, problem } from '../credentials/input.ts';
import type { Builder, Context } from '../graphql/builder.ts';
import type { InputFieldBuilder } from '../graphql/mutation.ts';
import { type GraphTypes, kindOf } from '../graphql/types.ts';
import type { InvalidInput } from '../refusals.ts';
import { checkNotEmpty, checkUrl } from './input.ts';
import { targetTypes } from './target-type.ts';

/** What a caller says of a webhook. */
export interface GivenWebhook {
  name?: string | null;
  url?: string | null;
  /** Types of events. */
  events?: string[] | null;
  /** Values of the enum of kinds. */
  kinds?: string[] | null;
}

/** The fields in which a caller says what a webhook is. */
export function webhookFields(
  t: InputFieldBuilder,
  types: GraphTypes,
  builder: Builder,
  action: 'create' | 'update',
) {
  const required = action === 'create';
  const unless = required ? '' : ' As before, unless said.';
  const { event } = targetTypes(builder, types);
  return {
    name: t.string({ required, description: `What the webhook is called.${unless}` }),
    url: t.string({
      required,
      description: `Where it is told: http or https; in production https alone.${unless}`,
    }),
    events: t.field({
      type: [event],
      description: `Of what it is told.${required ? ' Of everything, unless said.' : `${unless} Null: of everything.`}`,
    }),
    kinds: t.field({
      type: [types.kindEnum],
      description: `Of which kinds of credentials it is told that they have ended.${required ? ' Of all, unless said.' : `${unless} Null: of all.`}`,
    }),
  };
}

/** Says no to what no webhook can be. */
export function checkWebhook(
  { name, url, events, kinds }: GivenWebhook,
  { gateway }: Context,
): (InvalidInput | undefined)[] {
  return [
    name == null ? undefined : checkPathName('name', name),
    url == null ? undefined : checkUrl(gateway, url, 'webhooks'),
    checkNotEmpty('events', events),
    checkNotEmpty('kinds', kinds),
    checkKinds(kinds ?? [], gateway.credentials),
  ];
}

/** A kind that never ends would make a webhook that is never told, and nobody the wiser. */
function checkKinds(kinds: readonly string[], credentials: Context['gateway']['credentials']) {
  const ends = new Set(['trusted-token', ...credentials.map(({ graph }) => graph.kind)]);
  const others = kinds.filter((value) => !ends.has(kindOf(value)));
  return problem(
    'kinds',
    others.length > 0 ? `Nothing of this kind is ever revoked: ${others.join(', ')}` : undefined,
  );
}

/** The kinds as rows name them; undefined where nothing is said of them. */
export const kindsOf = (
  values: readonly string[] | null | undefined,
): string[] | null | undefined => values?.map(kindOf) ?? (values as null | undefined);
