import type { ObjectRef } from '@pothos/core';
import {
  AlreadyRevoked,
  InvalidInput,
  PermissionDenied,
  type Refusal,
  type RefusalClass,
} from '../refusals.ts';
import type { Builder, Extended, FieldBuilder, Fields } from './builder.ts';

/** The name of the type that shows a refusal: `NotFound` is a `NotFoundError`. */
export const errorTypeName = (refusal: RefusalClass): string => `${refusal.name}Error`;

/** The type in which each refusal is shown. */
export type ErrorTypes = ReadonlyMap<RefusalClass, ObjectRef<Extended, Refusal>>;

/** Adds the interface `Error`, its codes, and a type for every refusal. */
export function addErrors(builder: Builder, refusals: ReadonlySet<RefusalClass>) {
  const code = builder.enumType('ErrorCode', {
    description: 'What went wrong, for programs.',
    values: Object.fromEntries(
      [...refusals].map((refusal) => [refusal.code, { description: refusal.description }]),
    ),
  });
  const error = builder.interfaceRef<Refusal>('Error').implement({
    description: 'An expected no. Every error of a mutation is one.',
    resolveType: (refusal) => errorTypeName(refusal.constructor as RefusalClass),
    fields: (t) => ({
      code: t.field({
        type: code,
        description: 'What went wrong, for programs.',
        resolve: (refusal) => refusal.code,
      }),
      message: t.exposeString('message', { description: 'What went wrong, for people.' }),
    }),
  });
  const issue = builder.objectRef<{ path: string; message: string }>('InputIssue').implement({
    description: 'One thing that is wrong with an input.',
    fields: (t) => ({
      path: t.exposeString('path', { description: 'The input field.' }),
      message: t.exposeString('message', { description: 'What is wrong with it.' }),
    }),
  });

  /** What a type shows beyond code and message. */
  function fieldsOf(refusal: RefusalClass, t: FieldBuilder<Refusal>): Fields<Refusal> {
    if (refusal === PermissionDenied) {
      return {
        missingPermissions: t.stringList({
          description: 'What the caller would need, and does not have.',
          resolve: (value) => [...(value as PermissionDenied).missingPermissions],
        }),
      };
    }
    if (refusal === InvalidInput) {
      return {
        issues: t.field({
          type: [issue],
          description: 'Everything that is wrong.',
          resolve: (value) => [...(value as InvalidInput).issues],
        }),
      };
    }
    if (refusal === AlreadyRevoked) {
      return {
        revokedAt: t.field({
          type: 'DateTime',
          description: 'When it was revoked.',
          resolve: (value) => (value as AlreadyRevoked).revokedAtMs,
        }),
      };
    }
    return {};
  }

  const errors: ErrorTypes = new Map(
    [...refusals].map((refusal) => [
      refusal,
      builder.objectRef<Refusal>(errorTypeName(refusal)).implement({
        description: refusal.description,
        interfaces: [error],
        isTypeOf: (value) => value instanceof refusal,
        fields: (t) => fieldsOf(refusal, t),
      }),
    ]),
  );
  return { error, errors };
}
