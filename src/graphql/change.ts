import type { InputFieldMap } from '@pothos/core';
import type { LedgerEntry, Revocable } from '../../db/tables.ts';
import type { Actor } from '../actor.ts';
import { carryOut } from '../credentials/carry-out.ts';
import type { Attempt } from '../delivery/first-attempts.ts';
import type { Operation } from '../operation.ts';
import { type InvalidInput, Refusal, type RefusalClass } from '../refusals.ts';
import type { Builder, Context, FieldBuilder, Fields } from './builder.ts';
import type { ErrorTypes } from './errors.ts';
import { addMutation, capitalized, type InputFieldBuilder } from './mutation.ts';
import type { SharedRevocation } from './revocation.ts';
import type { GraphTypes } from './types.ts';

/** A mutation that revokes nothing: it makes something, or changes it. */
export interface GraphMutation {
  readonly mutation: string;
  readonly refusals: readonly RefusalClass[];
  addTo(builder: Builder, errors: ErrorTypes, shared: SharedRevocation): void;
}

/** What a successful change shows. */
export interface ChangeSuccess {
  readonly row: Revocable;
  readonly entry: LedgerEntry;
  readonly attempts: readonly Attempt[];
  readonly secret?: string | undefined;
}

/** How the graph shows a change. `Given` is what the mutation is given, `Input` what decides it. */
export interface ChangeGraphSpec<Given, Input> {
  readonly mutation: string;
  readonly description: string;
  readonly inputDescription: string;
  readonly fields: (t: InputFieldBuilder, types: GraphTypes, builder: Builder) => InputFieldMap;
  /** The field of the success that shows the row, and the name of its type. */
  readonly shows: { readonly field: string; readonly type: string };
  /** Where a secret is shown, this once, and what it is. */
  readonly secret?: {
    readonly field?: string;
    readonly description: string;
    /** Whether there may be none. */
    readonly nullable?: true;
  };
  /** What the success shows beyond that. */
  readonly success?: (t: FieldBuilder<ChangeSuccess>, builder: Builder) => Fields<ChangeSuccess>;
  readonly check: (given: Given, context: Context) => (InvalidInput | undefined)[];
  /** Makes what the operation needs: ids, secrets, whatever may be awaited only before it. */
  readonly prepare: (
    given: Given,
    context: Context,
    actor: Actor,
  ) => Promise<{ input: Input; secret?: string | undefined } | Refusal>;
}

/** Makes the mutation behind which an operation stands. */
export function changeGraph<Given, Input, R extends Refusal>(
  operation: Operation<Input, Revocable, R>,
  spec: ChangeGraphSpec<Given, Input>,
): GraphMutation {
  function addTo(builder: Builder, errors: ErrorTypes, { types }: SharedRevocation): void {
    const name = `${capitalized(spec.mutation)}Success`;
    const success = builder.objectRef<ChangeSuccess>(name).implement({
      description: 'It is done, and on disk.',
      fields: (t) => ({
        [spec.shows.field]: t.field({
          type: refOf(types, spec.shows.type),
          description: `The ${spec.shows.type}, as it is now.`,
          resolve: ({ row }) => row,
        }),
        ...(spec.secret && secretField(t, spec.secret)),
        ...spec.success?.(t, builder),
      }),
    });
    addMutation<Given, ChangeSuccess>(builder, errors, {
      name: spec.mutation,
      description: spec.description,
      inputDescription: spec.inputDescription,
      fields: (t) => spec.fields(t, types, builder),
      success,
      refusals: operation.refusals,
      check: spec.check,
      resolve: async (actor, given, context) => {
        const prepared = await spec.prepare(given, context, actor);
        if (prepared instanceof Refusal) return prepared;
        const { input, secret } = prepared;
        const call = { actor, surface: 'graphql', requestId: context.requestId } as const;
        const answered = await carryOut(context.gateway, operation, input, call);
        if ('refused' in answered) return answered.refused;
        return { row: answered.done, entry: answered.entry, attempts: answered.attempts, secret };
      },
    });
  }

  return { mutation: spec.mutation, refusals: operation.refusals, addTo };
}

function secretField(
  t: FieldBuilder<ChangeSuccess>,
  {
    field = 'secret',
    description,
    nullable = false,
  }: { field?: string; description: string; nullable?: boolean },
): Fields<ChangeSuccess> {
  const options = { description: `${description} Shown this once.` };
  return {
    [field]: nullable
      ? t.string({ ...options, nullable: true, resolve: ({ secret }) => secret })
      : t.string({ ...options, resolve: ({ secret = '' }) => secret }),
  };
}

function refOf(types: GraphTypes, name: string) {
  const ref = types.refs.get(name);
  if (ref === undefined) throw new Error(`There is no type ${name}`);
  return ref;
}
