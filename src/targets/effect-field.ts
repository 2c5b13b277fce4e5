import type { ObjectRef } from '@pothos/core';
import type { LedgerEntry } from '../../db/tables.ts';
import type { Builder, Extended } from '../graphql/builder.ts';
import type { GraphTypes } from '../graphql/types.ts';
import { effectOf, slowestMs, stateAt, stateOver, type TargetEffect } from './effect.ts';
import { targetTypes } from './target-type.ts';

interface Effect {
  readonly atMs: number;
  readonly targets: readonly TargetEffect[];
}

/** Adds `Revocation.effect`: what it has reached, and what it has not. */
export function addEffect(
  builder: Builder,
  types: GraphTypes,
  revocation: ObjectRef<Extended, LedgerEntry>,
): void {
  const state = builder.enumType('EffectState', {
    description: 'Where a revocation stands at the targets that must learn of it.',
    values: {
      EFFECTIVE: {
        description:
          'Every target has acknowledged it, but for those that are closed, or there is none.',
      },
      PENDING: { description: 'No target has acknowledged it yet.' },
      PARTIAL: { description: 'Some targets have acknowledged it, others will be tried again.' },
      STUCK: { description: 'At some target the attempts are used up: it needs a person.' },
    } as const,
  });
  const targetState = builder.enumType('TargetEffectState', {
    description: 'Where a revocation stands at one target.',
    values: {
      EFFECTIVE: { description: 'It has acknowledged it.' },
      PENDING: { description: 'It has not acknowledged it yet, and will be tried again.' },
      STUCK: { description: 'The attempts are used up: resume the target, or close the delivery.' },
      CLOSED: {
        description: 'Somebody decided that it need not arrive, or the target is removed.',
      },
    } as const,
  });
  const target = builder.objectRef<TargetEffect>('TargetEffect').implement({
    description: 'What is known of bringing a revocation to one target.',
    fields: (t) => ({
      target: t.exposeString('name', { description: 'What people call the target.' }),
      targetId: t.id({ description: 'The id of it.', resolve: (row) => row.target_id }),
      kind: t.field({
        type: targetTypes(builder, types).kind,
        description: 'What kind of place it is.',
        resolve: (row) => row.kind,
      }),
      state: t.field({
        type: targetState,
        description: 'Where the revocation stands there.',
        resolve: stateAt,
      }),
      notifiedAt: t.field({
        type: 'DateTime',
        nullable: true,
        description: 'When it was last told.',
        resolve: (row) => row.notified_at_ms,
      }),
      acknowledgedAt: t.field({
        type: 'DateTime',
        nullable: true,
        description: 'When it acknowledged.',
        resolve: (row) => row.acknowledged_at_ms,
      }),
      attempts: t.exposeInt('attempts', { description: 'How often it was told.' }),
      lastError: t.string({
        nullable: true,
        description: 'What went wrong when it last did, also where a later attempt went well.',
        resolve: (row) => row.last_error,
      }),
      nextAttemptAt: t.field({
        type: 'DateTime',
        nullable: true,
        description: 'When it is told again at the earliest, while it is pending.',
        resolve: (row) => row.next_attempt_at_ms,
      }),
      closedBy: t.string({
        nullable: true,
        description: 'Who decided that it need not arrive.',
        resolve: (row) => row.closed_by,
      }),
      closedReason: t.string({
        nullable: true,
        description: 'Why it need not arrive.',
        resolve: (row) => row.closed_reason,
      }),
    }),
  });
  const effect = builder.objectRef<Effect>('Effect').implement({
    description:
      'What a revocation has reached. The gateway itself refuses from the commit on; this is about every other place.',
    fields: (t) => ({
      state: t.field({
        type: state,
        description: 'Where it stands over all targets.',
        resolve: ({ targets }) => stateOver(targets),
      }),
      slowestMs: t.float({
        nullable: true,
        description:
          'Milliseconds from the revocation to the last acknowledgement so far; null: there is none.',
        resolve: ({ atMs, targets }) => slowestMs(atMs, targets),
      }),
      boundMs: t.float({
        description: 'Milliseconds within which every target should acknowledge: EFFECT_BOUND_MS.',
        resolve: (_effect, _args, { gateway }) => gateway.effectBoundMs,
      }),
      targets: t.field({
        type: [target],
        description: 'Each target that must learn of it, oldest first.',
        resolve: ({ targets }) => targets,
      }),
    }),
  });
  builder.objectField(revocation, 'effect', (t) =>
    t.field({
      type: effect,
      description: 'What it has reached, and what it has not.',
      resolve: async ({ seq, at_ms }, _args, { loaders }) => ({
        atMs: at_ms,
        targets: await loaders.load(effectOf, seq),
      }),
    }),
  );
}
