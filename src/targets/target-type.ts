import type { Target } from '../../db/tables.ts';
import { eventTypes } from '../delivery/events.ts';
import { targetKinds } from '../delivery/targets.ts';
import type { Builder } from '../graphql/builder.ts';
import { type GraphTypes, kindValue } from '../graphql/types.ts';
import { backlogOf } from './backlog.ts';
import { stuckField } from './stuck-field.ts';
import { timeToEffectField } from './time-to-effect-field.ts';

/** What each schema has of targets, made when first asked for. */
const made = new WeakMap<Builder, ReturnType<typeof addTargetTypes>>();

/** `Target`, and what a webhook can be told of. */
export function targetTypes(builder: Builder, types: GraphTypes) {
  const present = made.get(builder) ?? addTargetTypes(builder, types);
  made.set(builder, present);
  return present;
}

const kindTexts: Record<(typeof targetKinds)[number], string> = {
  environment: 'An environment of a project: told of each change of a credential there.',
  webhook: 'A URL that is told of what happens in the organization.',
  'enforcement-point': 'A place that follows the feed, and refuses what has ended.',
};

const eventTexts: Record<(typeof eventTypes)[number], string> = {
  'credential.revoked': 'Something was revoked.',
  'credential.used_up': 'An access token was used as often as it may be.',
  'target.late': 'A target has fallen behind the published bound.',
  'target.stuck': 'A target did not acknowledge in as many attempts as there are.',
  'webhook.test': 'A test, which no webhook need be asked about.',
};

/** `credential.revoked` is `CREDENTIAL_REVOKED`. */
const eventValue = (type: string) => type.toUpperCase().replaceAll('.', '_');

function addTargetTypes(builder: Builder, types: GraphTypes) {
  const kind = builder.enumType('TargetKind', {
    description: 'What kind of place must learn of what happens.',
    values: Object.fromEntries(
      targetKinds.map((each) => [
        kindValue(each),
        { value: each as string, description: kindTexts[each] },
      ]),
    ),
  });
  const event = builder.enumType('WebhookEvent', {
    description: 'What a webhook can be told of.',
    values: Object.fromEntries(
      eventTypes
        .filter((type) => type !== 'webhook.test')
        .map((type) => [
          eventValue(type),
          { value: type as string, description: `\`${type}\`: ${eventTexts[type]}` },
        ]),
    ),
  });
  const state = builder.enumType('TargetState', {
    description: 'Whether a target has learnt of everything.',
    values: {
      EFFECTIVE: { description: 'It has acknowledged everything.' },
      PENDING: { description: 'It is being told of something.' },
      STUCK: { description: 'The attempts for something are used up: it needs a person.' },
    } as const,
  });
  const target = builder.objectRef<Target>('Target').implement({
    description: 'A place that must learn of what happens: of revocations above all.',
    interfaces: [types.node],
    isTypeOf: (value) => 'secret_jwe' in (value as object),
    fields: (t) => ({
      kind: t.field({ type: kind, description: 'What it is.', resolve: (row) => row.kind }),
      name: t.exposeString('name', { description: 'What people call it.' }),
      url: t.string({
        nullable: true,
        description: 'Where it is told; null for an enforcement point, which asks by itself.',
        resolve: ({ url }) => (url === '' ? null : url),
      }),
      events: t.field({
        type: [event],
        nullable: true,
        description: 'Of what a webhook is told; null: of everything.',
        resolve: (row) => listIn(row.events),
      }),
      kinds: t.field({
        type: [types.kindEnum],
        nullable: true,
        description: 'Of which kinds of credentials a webhook is told; null: of all.',
        resolve: (row) => listIn(row.kinds)?.map(kindValue),
      }),
      createdAt: t.field({
        type: 'DateTime',
        description: 'When it was made.',
        resolve: (row) => row.created_at_ms,
      }),
      state: t.field({
        type: state,
        description: 'Whether it has learnt of everything.',
        resolve: async ({ id }, _args, { loaders }) => {
          const { pending, stuck } = await loaders.load(backlogOf, id);
          if (stuck > 0) return 'STUCK';
          return pending > 0 ? 'PENDING' : 'EFFECTIVE';
        },
      }),
      pending: t.int({
        description: 'How many deliveries it has not acknowledged and will be tried again.',
        resolve: async ({ id }, _args, { loaders }) => (await loaders.load(backlogOf, id)).pending,
      }),
      stuck: t.int({
        description: 'How many deliveries have used their attempts up.',
        resolve: async ({ id }, _args, { loaders }) => (await loaders.load(backlogOf, id)).stuck,
      }),
      oldestPendingAt: t.field({
        type: 'DateTime',
        nullable: true,
        description: 'When the oldest thing happened that is pending.',
        resolve: async ({ id }, _args, { loaders }) =>
          (await loaders.load(backlogOf, id)).oldestPendingAtMs,
      }),
      lateSince: t.field({
        type: 'DateTime',
        nullable: true,
        description: 'Since when it is behind the published bound; null: it is not.',
        resolve: (row) => row.late_since_ms,
      }),
      lastError: t.string({
        nullable: true,
        description: 'What went wrong at the last attempt, while something is unfinished.',
        resolve: async ({ id }, _args, { loaders }) =>
          (await loaders.load(backlogOf, id)).lastError,
      }),
      stuckDeliveries: stuckField(t, builder),
      timeToEffect: timeToEffectField(t, builder),
    }),
  });
  return { target, event, kind };
}

const listIn = (list: string | null): string[] | null =>
  list === null ? null : (JSON.parse(list) as string[]);
