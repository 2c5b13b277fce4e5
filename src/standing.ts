import { type Kysely, sql } from 'kysely';
import type { Revocable, Tables } from '../db/tables.ts';
import { prepare } from './database/prepare.ts';
import type { UnauthenticatedReason } from './refusals.ts';

/** Kinds that stand between an owner and the tokens issued through them. */
export const authMethods = new Set(['jwt-auth', 'token-auth']);

/** The row that the condition names and every ancestor, from the row up to its organization. */
export async function chainOf(
  db: Kysely<Tables>,
  column: 'id' | 'secret_hash',
  value: string,
): Promise<Revocable[]> {
  return (await chains[column](db, { value })).rows;
}

const chainBy = (column: 'id' | 'secret_hash') =>
  prepare<{ value: string }, Revocable>((db, slot) =>
    db
      .withRecursive('chain', (query) =>
        query
          .selectFrom('revocables')
          .selectAll()
          .select(sql<number>`0`.as('depth'))
          .where(column, '=', slot('value'))
          .unionAll((union) =>
            union
              .selectFrom('chain')
              .innerJoin('revocables', 'revocables.id', 'chain.parent_id')
              .selectAll('revocables')
              .select(sql<number>`chain.depth + 1`.as('depth')),
          ),
      )
      .selectFrom('chain')
      .selectAll()
      .orderBy('depth'),
  );

const chains = { id: chainBy('id'), secret_hash: chainBy('secret_hash') };

/** Why the first row of a chain is not good at this moment; undefined where it is good. */
export function standing(
  chain: readonly Revocable[],
  nowMs: number,
): UnauthenticatedReason | undefined {
  if (chain.length === 0) return 'unknown';
  if (chain.some((row) => row.expires_at_ms !== null && row.expires_at_ms <= nowMs)) {
    return 'expired';
  }
  const revoked = chain.findIndex((row) => row.revoked_at_ms !== null);
  if (revoked === -1) return undefined;
  if (revoked === 0) return 'revoked';
  return authMethods.has(chain[revoked]?.kind ?? '') ? 'methodRevoked' : 'ownerRevoked';
}

/** What the first row of a chain may do: the permissions of the nearest row that states any. */
export function permissionsOf(chain: readonly Revocable[]): string[] {
  const text = chain.find((row) => row.permissions !== null)?.permissions;
  return text == null ? [] : (JSON.parse(text) as string[]);
}
