import type { InputFieldMap } from '@pothos/core';
import type { LedgerEntry } from '../../db/tables.ts';
import type { Actor } from '../actor.ts';
import { carryOut } from '../credentials/carry-out.ts';
import type { Attempt } from '../delivery/first-attempts.ts';
import type { Builder, Context, FieldBuilder, Fields } from '../graphql/builder.ts';
import type { GraphMutation } from '../graphql/change.ts';
import { addMutation, capitalized, type InputFieldBuilder } from '../graphql/mutation.ts';
import type { GraphTypes } from '../graphql/types.ts';
import type { Operation } from '../operation.ts';
import type { InvalidInput, Refusal } from '../refusals.ts';
import type { Changed } from './operation.ts';
import { targetTypes } from './target-type.ts';

/** What a success shows. */
export interface Shown<Value> {
  readonly done: Value;
  readonly entry: LedgerEntry;
  readonly attempts: readonly Attempt[];
  readonly secret?: string | undefined;
}

/** What an operation needs, made before it. */
export interface Prepared<Input> {
  readonly input: Input;
  readonly secret?: string;
  /** What the ledger says beside it. */
  readonly comment?: string;
}

/** How the graph shows something that is done with a target. */
export interface TargetGraphSpec<Given, Input, Value> {
  readonly mutation: string;
  readonly description: string;
  readonly inputDescription: string;
  readonly fields: (t: InputFieldBuilder, types: GraphTypes, builder: Builder) => InputFieldMap;
  /** The field of the success that shows the target. */
  readonly shows: 'target' | 'webhook' | 'environment';
  /** Whether the success shows a secret, this once. */
  readonly secret?: true;
  /** What the success shows beyond that. */
  readonly success?: (t: FieldBuilder<Shown<Value>>) => Fields<Shown<Value>>;
  readonly check?: (given: Given, context: Context) => (InvalidInput | undefined)[];
  readonly prepare: (given: Given, context: Context) => Promise<Prepared<Input>>;
  /** Whether the target may have something to be told now that it had not before. */
  readonly wakes?: true;
  /** What is done behind the commit, in parts, before it is answered. */
  readonly finish?: (gateway: Context['gateway'], done: Value) => Promise<Value>;
}

/** Makes the mutation behind which an operation on a target stands. */
export function targetGraph<Given, Input, Value extends Changed, R extends Refusal>(
  operation: Operation<Input, Value, R>,
  spec: TargetGraphSpec<Given, Input, Value>,
): GraphMutation {
  async function run(prepared: Prepared<Input>, context: Context, actor: Actor) {
    const { gateway, requestId } = context;
    const { input, secret, comment } = prepared;
    const call = { actor, surface: 'graphql', requestId, comment } as const;
    const answered = await carryOut(gateway, operation, input, call);
    if ('refused' in answered) return answered.refused;
    if (spec.wakes) gateway.announce([answered.done.target]);
    if (spec.finish === undefined) return { ...answered, secret };
    return { ...answered, done: await spec.finish(gateway, answered.done), secret };
  }

  return {
    mutation: spec.mutation,
    refusals: operation.refusals,
    addTo(builder, errors, { types }) {
      const name = `${capitalized(spec.mutation)}Success`;
      const success = builder.objectRef<Shown<Value>>(name).implement({
        description: 'It is done, and on disk.',
        fields: (t) => ({
          [spec.shows]: t.field({
            type: targetTypes(builder, types).target,
            description: `The ${spec.shows}, as it is now.`,
            resolve: ({ done }) => done.target,
          }),
          ...(spec.secret && {
            secret: t.string({
              description:
                'What its messages are signed with, as Standard Webhooks say. Shown this once.',
              resolve: ({ secret = '' }) => secret,
            }),
          }),
          ...spec.success?.(t),
        }),
      });
      addMutation<Given, Shown<Value>>(builder, errors, {
        name: spec.mutation,
        description: spec.description,
        inputDescription: spec.inputDescription,
        fields: (t) => spec.fields(t, types, builder),
        success,
        refusals: operation.refusals,
        check: (given, context) => spec.check?.(given, context) ?? [],
        resolve: async (actor, given, context) =>
          await run(await spec.prepare(given, context), context, actor),
      });
    },
  };
}

/** The field that names a target. */
export const targetIdField = (t: InputFieldBuilder, what: string) =>
  t.id({ required: true, description: `The id of the ${what}.` });
