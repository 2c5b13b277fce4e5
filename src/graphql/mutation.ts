import type { InputFieldMap, ObjectRef } from '@pothos/core';
import type { Actor } from '../actor.ts';
import { checkTexts } from '../credentials/input.ts';
import { InvalidInput, Refusal, type RefusalClass, Unauthenticated } from '../refusals.ts';
import type { Builder, Context, Extended } from './builder.ts';
import { type ErrorTypes, errorTypeName } from './errors.ts';

/** What an input type's fields are declared with. */
export type InputFieldBuilder = PothosSchemaTypes.InputFieldBuilder<Extended, 'InputObject'>;

/** A mutation by the conventions: one input, and a union of one success and its errors. */
export interface MutationSpec<Input, Success extends object> {
  readonly name: string;
  readonly description: string;
  readonly inputDescription: string;
  /** The fields of the input; together they have the shape `Input`. */
  readonly fields: (t: InputFieldBuilder) => InputFieldMap;
  readonly success: ObjectRef<Extended, Success>;
  /** What it can refuse, beyond an unknown caller and an invalid input. */
  readonly refusals: readonly RefusalClass[];
  /** What is wrong with the input; asked for known callers only. */
  readonly check: (input: Input, context: Context) => (InvalidInput | undefined)[];
  readonly resolve: (
    actor: Actor,
    input: Input,
    context: Context,
  ) => Promise<NoInfer<Success> | Refusal>;
}

/** What every mutation can refuse. */
export const always: readonly RefusalClass[] = [Unauthenticated, InvalidInput];

export const capitalized = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1);

/** Adds a mutation, its input and its result. */
export function addMutation<Input, Success extends object>(
  builder: Builder,
  errors: ErrorTypes,
  spec: MutationSpec<Input, Success>,
): void {
  const input = builder.inputType(`${capitalized(spec.name)}Input`, {
    description: spec.inputDescription,
    fields: spec.fields,
  });
  const result = builder.unionType(`${capitalized(spec.name)}Result`, {
    description: `What comes of \`${spec.name}\`: done, or one of its errors.`,
    types: [
      spec.success as ObjectRef<Extended, object>,
      ...[...new Set([...always, ...spec.refusals])].map((refusal) => errorType(errors, refusal)),
    ],
    resolveType: (value) =>
      value instanceof Refusal
        ? errorTypeName(value.constructor as RefusalClass)
        : spec.success.name,
  });
  builder.mutationField(spec.name, (t) =>
    t.field({
      type: result,
      description: spec.description,
      args: { input: t.arg({ type: input, required: true, description: spec.inputDescription }) },
      resolve: async (_root, args, context): Promise<object> => {
        let outcome = 'FAILED';
        try {
          const result = await carriedOut(spec, args.input as Input, context);
          outcome = result instanceof Refusal ? result.code : 'DONE';
          return result;
        } finally {
          context.note(spec.name, outcome);
        }
      },
    }),
  );
}

async function carriedOut<Input, Success extends object>(
  { check, resolve }: MutationSpec<Input, Success>,
  given: Input,
  context: Context,
): Promise<Success | Refusal> {
  const { actor } = context;
  if (actor instanceof Refusal) return actor;
  const unreadable = checkTexts(given);
  if (unreadable !== undefined) return unreadable;
  const issues = check(given, context).flatMap((invalid) => invalid?.issues ?? []);
  if (issues.length > 0) return new InvalidInput(issues);
  return await resolve(actor, given, context);
}

function errorType(errors: ErrorTypes, refusal: RefusalClass): ObjectRef<Extended, Refusal> {
  const ref = errors.get(refusal);
  if (ref === undefined) throw new Error(`${refusal.name} has no type in the graph`);
  return ref;
}
