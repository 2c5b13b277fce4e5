import { expect } from 'vitest';
import type { Revocable } from '../db/tables.ts';
import type { Action } from '../src/operation.ts';
import { newSecret } from '../src/secrets.ts';
import type { Harness } from './harness.ts';

/** What is asked for, and the row that it will belong to. */
export interface Asked {
  readonly input: Record<string, unknown>;
  /** What must be good, with all above it; unless there is one, the organization. */
  readonly owner?: Revocable;
  /** The parent of the row, where that is not the owner. */
  readonly parent?: Revocable;
}

/** A mutation that revokes none of our rows: how it is asked, and what comes of it. */
export interface Creation {
  readonly mutation: string;
  readonly action?: Action;
  readonly kind: string;
  /** Where what is made is kept, unless among what can be revoked. */
  readonly table?: 'targets' | 'cut_offs' | 'jwt_auths';
  /** The field of the success that shows what was made. */
  readonly shows: string;
  /** The field of the success that shows a secret, and the kind of the row that knows it. */
  readonly secret?: { readonly field: string; readonly kind?: string };
  /** All that a caller needs to have done what `arrange` asks for. */
  readonly needs: readonly string[];
  /** The fields that address the owner. */
  readonly address?: readonly string[];
  /** Makes in an organization what it needs there. */
  arrange(h: Harness, slug: string): Promise<Asked>;
  /** As the ledger names what was made. */
  target(input: Record<string, unknown>, id: string): string;
  /** What the new row has besides what all have. */
  readonly row?: Record<string, unknown>;
  /** Whether it changes what is owed alone. */
  readonly changesNoRow?: true;
  /** Whether it can be done although what it belongs to has ended. */
  readonly whateverOwner?: true;
  /** What cannot be, with the field that is named for it. */
  readonly wrong: readonly [changed: Record<string, unknown>, path: string][];
  /** How the same once more is refused. */
  readonly unique?: 'NAME_TAKEN' | 'AUTH_METHOD_ALREADY_CONFIGURED';
}

export const byId = (_input: unknown, id: string) => id;
export const joined = (input: Record<string, unknown>, ...fields: string[]) =>
  fields.map((field) => input[field]).join('/');

export const each = (path: string, ...values: unknown[]): [Record<string, unknown>, string][] =>
  values.map((value) => [{ [path]: value }, path]);
/** What looks like a secret, where no secret belongs. */
export const pasted = newSecret('api-key');
export const names = (path: string) =>
  each(path, '', '   ', 'a\nb', 'a\u202eb', 'a\0b', 'a\ud800', 'x'.repeat(201), pasted);
export const pathNames = (path: string) => [
  ...names(path),
  ...each(path, 'a/b', 'a?b', 'a#b', 'a%b', 'a\\b', ' a', 'a ', '.', '..'),
];
export const slugs = (path: string) =>
  each(path, '', 'a', 'A B', '-a', 'a-', 'ä'.repeat(3), 'x'.repeat(101));
export const ends = each('expiresAt', '2020-01-01T00:00:00Z');
export const permissions = each('permissions', ['everything'], ['token:revoke@'], [pasted]);

export const ownerless = (input: Record<string, unknown>) => async (): Promise<Asked> => ({
  input,
});

/** The mutation, asking for all that its result can say. */
export function documentOf({ mutation, shows, secret }: Creation): string {
  const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}`;
  return `mutation M($input: ${type}Input!) {
    result: ${mutation}(input: $input) {
      __typename
      ... on ${type}Success { shown: ${shows} { id } ${secret ? `secret: ${secret.field}` : ''} }
      ... on Error { code message }
      ... on PermissionDeniedError { missingPermissions }
      ... on InvalidInputError { issues { path message } }
    }
  }`;
}

/** What is answered: `code` where it is refused, `shown` where it is done. */
export interface Result {
  readonly __typename: string;
  readonly shown: { readonly id: string };
  readonly secret?: string;
  readonly code?: string;
  readonly message?: string;
  readonly missingPermissions?: readonly string[];
  readonly issues?: readonly { readonly path: string; readonly message: string }[];
}

/** Asks for it as a client would. */
export async function ask(
  h: Harness,
  creation: Creation,
  input: object,
  token: string | undefined = h.demo.callers.admin,
): Promise<Result> {
  const { status, data, errors } = await h.graphql<{ result: Result }>(
    documentOf(creation),
    { input },
    token,
  );
  expect([status, errors]).toEqual([200, undefined]);
  return data.result;
}
