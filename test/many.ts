import { expect } from 'vitest';
import type { Target } from '../db/tables.ts';
import { findOrganization } from '../src/credentials/find.ts';
import { newRow } from '../src/credentials/row.ts';
import { hashSecret, newSecret } from '../src/secrets.ts';
import type { Running } from '../src/start.ts';
import type { Harness } from './harness.ts';

/** Many credentials, and how they are revoked with one call. */

/** What one id got. */
export interface Item {
  readonly id: string;
  readonly revocation: null | {
    readonly id: string;
    readonly kind: string;
    readonly target: string;
    readonly revokedAt: string;
    readonly reason: string;
    readonly comment: string | null;
    readonly actor: string;
  };
  readonly error: null | {
    readonly __typename: string;
    readonly code: string;
    readonly message: string;
    readonly missingPermissions?: readonly string[];
    readonly revokedAt?: string;
  };
}

export interface Result {
  readonly __typename: string;
  readonly results: readonly Item[];
  readonly revoked: number;
  readonly refused: number;
  readonly code?: string;
  readonly issues?: readonly { readonly path: string; readonly message: string }[];
}

export interface Given {
  readonly kind: string;
  readonly ids: readonly string[];
  readonly reason?: string;
  readonly comment?: string;
}

export const REVOKE_MANY = `mutation ($input: RevokeManyInput!) {
  result: revokeMany(input: $input) {
    __typename
    ... on RevokeManySuccess {
      results {
        id
        revocation { id kind target revokedAt reason comment actor }
        error {
          __typename code message
          ... on PermissionDeniedError { missingPermissions }
          ... on AlreadyRevokedError { revokedAt }
        }
      }
      revoked
      refused
    }
    ... on Error { code message }
    ... on InvalidInputError { issues { path message } }
  }
}`;

/** Asks as a client would. */
export async function revokeMany(
  h: Harness,
  input: Given,
  token: string | undefined = h.demo.callers.admin,
): Promise<Result> {
  const { status, data, errors } = await h.graphql<{ result: Result }>(
    REVOKE_MANY,
    { input },
    token,
  );
  expect([status, errors]).toEqual([200, undefined]);
  return data.result;
}

/** Asks over HTTP. */
export const postMany = (url: string, token: string, input: Given, signal?: AbortSignal) =>
  fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query: REVOKE_MANY, variables: { input } }),
    ...(signal && { signal }),
  });

export async function resultOf(response: Response): Promise<Result> {
  const { data, errors } = (await response.json()) as { data: { result: Result }; errors?: object };
  expect([response.status, errors]).toEqual([200, undefined]);
  return data.result;
}

/** What each id got, in a word. */
export const codes = ({ results }: Pick<Result, 'results'>): string[] =>
  results.map(({ revocation, error }) => error?.code ?? (revocation === null ? 'nothing' : 'DONE'));

/** Adds personal access tokens of acme that nobody has; their ids, oldest first. */
export async function addTokens({ gateway, database }: Running, count: number): Promise<string[]> {
  const acme = await findOrganization(database.reader, 'acme');
  const organization_id = acme?.id ?? '';
  const rows = Array.from({ length: count }, () =>
    newRow({
      ...{ id: gateway.newId(), organization_id, parent_id: organization_id },
      ...{ kind: 'personal-access-token', issued_at_ms: gateway.now(), permissions: '[]' },
      secret_hash: hashSecret(newSecret('personal-access-token')),
    }),
  );
  for (let i = 0; i < count; i += 500) {
    const some = rows.slice(i, i + 500);
    await gateway.writes.run((tx) => tx.insertInto('revocables').values(some).execute());
  }
  return rows.map(({ id }) => id);
}

/** Who is owed the entry with this id, by name. */
export async function owed(h: Harness, entryId: string): Promise<Target['name'][]> {
  const rows = await h.running.database.reader
    .selectFrom('deliveries')
    .innerJoin('ledger', 'ledger.seq', 'deliveries.seq')
    .innerJoin('targets', 'targets.id', 'deliveries.target_id')
    .select('targets.name')
    .where('ledger.id', '=', entryId)
    .orderBy('targets.name')
    .execute();
  return rows.map(({ name }) => name);
}
