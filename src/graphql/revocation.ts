import type { InterfaceRef, ObjectRef } from '@pothos/core';
import type { LedgerEntry } from '../../db/tables.ts';
import { carryOut } from '../credentials/carry-out.ts';
import { COMMENT_MAX, checkComment, checkInput } from '../credentials/input.ts';
import type { Input, InputField, Kind } from '../credentials/kind.ts';
import { type Revoked, revoke } from '../credentials/revoke.ts';
import { revokeById } from '../credentials/revoke-many.ts';
import type { Attempt } from '../delivery/first-attempts.ts';
import type { Call, RevocationReason } from '../operation.ts';
import type { Permission } from '../permissions.ts';
import type { Refusal } from '../refusals.ts';
import type { Builder, Extended, FieldBuilder, Fields } from './builder.ts';
import type { ErrorTypes } from './errors.ts';
import { addMutation, capitalized, type InputFieldBuilder } from './mutation.ts';
import type { GraphTypes, TypeSpec } from './types.ts';

/** What a successful revocation shows. */
export interface RevocationSuccess<Answer = unknown> {
  readonly entry: LedgerEntry;
  readonly revoked: Revoked<Answer>;
  readonly attempts: readonly Attempt[];
}

/** How the graph shows a kind and its revocation. */
export interface GraphSpec<Answer = unknown> extends TypeSpec {
  readonly mutation: string;
  readonly mutationDescription: string;
  /** What the success shows beyond the revocation. */
  readonly success?: (
    t: FieldBuilder<RevocationSuccess<Answer>>,
    builder: Builder,
  ) => Fields<RevocationSuccess<Answer>>;
}

/** A kind's part of the graph: its type, its lists, and the mutation that revokes it. */
export interface RevocableGraph extends TypeSpec {
  readonly mutation: string;
  /** The fields that address one, and what each is. */
  readonly input: Readonly<Record<string, InputField>>;
  /** All are needed to revoke one. */
  readonly permissions: readonly Permission[];
  readonly operation: { readonly refusals: ReturnType<typeof revoke>['refusals'] };
  /** The operation that revokes one that is named by one text. */
  readonly byId: ReturnType<typeof revokeById>;
  addTo(builder: Builder, errors: ErrorTypes, shared: SharedRevocation): void;
}

/** What all revocations share in a schema. */
export interface SharedRevocation {
  readonly types: GraphTypes;
  readonly revocation: ObjectRef<Extended, LedgerEntry>;
  readonly success: ReturnType<typeof addRevocationSuccess>;
  /** The interface of all errors. */
  readonly error: InterfaceRef<Extended, Refusal>;
}

/** Adds the interface of every successful revocation. */
export function addRevocationSuccess(
  builder: Builder,
  revocation: ObjectRef<Extended, LedgerEntry>,
) {
  return builder.interfaceRef<Pick<RevocationSuccess, 'entry'>>('RevocationSuccess').implement({
    description: 'It is revoked, and the revocation is on disk.',
    fields: (t) => ({
      revocation: t.field({
        type: revocation,
        description: 'The record of it.',
        resolve: ({ entry }) => entry,
      }),
    }),
  });
}

/** Makes a kind's part of the graph. */
export function revocableGraph<Field extends string, Answer, R extends Refusal>(
  kind: Kind<Field, Answer, R>,
  spec: Omit<GraphSpec<Answer>, 'kind'>,
): RevocableGraph {
  const operation = revoke(kind);

  function addTo(builder: Builder, errors: ErrorTypes, shared: SharedRevocation): void {
    const name = `${capitalized(spec.mutation)}Success`;
    const success = builder.objectRef<RevocationSuccess<Answer>>(name).implement({
      description: `The ${kind.noun} is revoked.`,
      interfaces: [shared.success],
      fields: (t) => spec.success?.(t, builder) ?? {},
    });
    addMutation<Input<Field> & Why, RevocationSuccess<Answer>>(builder, errors, {
      name: spec.mutation,
      description: spec.mutationDescription,
      inputDescription: `Which ${kind.noun} to revoke, and why.`,
      success,
      refusals: operation.refusals,
      fields: (t) => ({ ...addressFields(t, kind), ...whyFields(t, shared.types) }),
      check: (input) => [checkInput(kind, input), checkComment(input.comment ?? undefined)],
      resolve: async (actor, input, { gateway, requestId }) => {
        const call: Call = {
          actor,
          surface: 'graphql',
          requestId,
          reason: input.reason ?? undefined,
          comment: input.comment ?? undefined,
        };
        const answered = await carryOut(gateway, operation, input, call);
        if ('refused' in answered) return answered.refused;
        const { done: revoked, entry, attempts } = answered;
        return { revoked, entry, attempts };
      },
    });
  }

  const { name, input, permissions } = kind;
  const byId: RevocableGraph['byId'] = revokeById(kind);
  return { ...spec, kind: name, input, permissions, operation, byId, addTo };
}

/** Why something is revoked, as the caller says. */
export interface Why {
  readonly reason?: RevocationReason | null;
  readonly comment?: string | null;
}

/** The fields in which a caller says why. */
export function whyFields(t: InputFieldBuilder, types: GraphTypes) {
  return {
    reason: t.field({ type: types.reasonEnum, description: 'Why, for the ledger.' }),
    comment: t.string({
      description: `What else the ledger should say, ${COMMENT_MAX} characters at the most. No secrets.`,
    }),
  };
}

/** An id is an `ID`, a name is a `String`. */
function addressFields<Field extends string>(
  t: InputFieldBuilder,
  kind: Pick<Kind<Field>, 'input'>,
) {
  const fields = Object.entries<InputField>(kind.input);
  return Object.fromEntries(
    fields.map(([name, { description }]) => {
      const options = { required: true, description } as const;
      return [name, name.endsWith('Id') ? t.id(options) : t.string(options)];
    }),
  );
}
