import { GraphQLError } from 'graphql';
import type { Target } from '../../db/tables.ts';
import type { Builder, FieldBuilder } from '../graphql/builder.ts';
import { REVOCATIONS_MAX, type TimeToEffect, timeToEffect } from './time-to-effect.ts';

/** The window of times to effect, unless said, and the longest: hours. */
export const HOURS_DEFAULT = 24;
export const HOURS_MAX = 720;

const MS_PER_HOUR = 3_600_000;

/** The field of a target that says how fast it learns of revocations, and its type. */
export function timeToEffectField(t: FieldBuilder<Target>, builder: Builder) {
  const type = builder.objectRef<TimeToEffect>('TimeToEffect').implement({
    description:
      'How long after it was answered a revocation was acknowledged. Percentiles are by nearest rank; null where there is none.',
    fields: (t) => {
      const ms = (field: 'p50Ms' | 'p90Ms' | 'p99Ms' | 'maxMs', description: string) =>
        t.float({ nullable: true, description, resolve: (times) => times[field] });
      return {
        count: t.exposeInt('count', { description: 'How many revocations were acknowledged.' }),
        p50Ms: ms('p50Ms', 'Half of them took no longer.'),
        p90Ms: ms('p90Ms', '90 of 100 took no longer.'),
        p99Ms: ms('p99Ms', '99 of 100 took no longer.'),
        maxMs: ms('maxMs', 'None took longer.'),
      };
    },
  });
  return t.field({
    type,
    description: `How fast it learns of revocations: of the last ${REVOCATIONS_MAX} of the organization within the window, those that it has acknowledged.`,
    args: {
      hours: t.arg.int({
        defaultValue: HOURS_DEFAULT,
        description: `How far back to look: 1 to ${HOURS_MAX} (30 days).`,
      }),
    },
    resolve: async ({ id }, { hours }, { gateway, loaders }) => {
      const back = hours ?? HOURS_DEFAULT;
      if (back < 1 || back > HOURS_MAX) {
        throw new GraphQLError(`hours must be from 1 to ${HOURS_MAX}.`, {
          extensions: { code: 'BAD_USER_INPUT' },
        });
      }
      // Whole seconds, so that what is asked in one request is one window.
      const sinceMs = Math.floor(gateway.now() / 1000) * 1000 - back * MS_PER_HOUR;
      return await loaders.load(timeToEffect, { targetId: id, sinceMs });
    },
  });
}
