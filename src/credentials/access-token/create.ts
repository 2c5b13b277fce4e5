import type { Transaction } from 'kysely';
import type { Revocable, Tables } from '../../../db/tables.ts';
import { NotFound } from '../../refusals.ts';
import { type Changed, change, insert } from '../change.ts';
import { findById } from '../find.ts';

/** How a token was issued through an auth method. Durations in seconds; 0 is none. */
export interface Issuance {
  readonly ttlS: number;
  readonly maxTtlS: number;
  readonly periodS: number;
  readonly usesMax: number;
}

/** An access token, already signed. */
export interface NewToken {
  /** Its `jti`. */
  readonly id: string;
  /** The row through which it is issued: an auth method or an OAuth client. */
  readonly issuerId: string;
  readonly issuerKind: 'token-auth' | 'jwt-auth' | 'oauth-client';
  readonly name: string | null;
  /** What it may do, where that is less than what its owner may. */
  readonly permissions: readonly string[] | null;
  readonly secretHash: string;
  readonly expiresAtMs: number;
  readonly issuance: Issuance | null;
  /** When the settings were last changed by which it was decided; undefined: by none. */
  readonly issuerUpdatedAtMs?: number;
  /** What the caller needs: nothing where it is the token's own owner. */
  readonly needed: readonly string[];
}

/** Keeps an access token. What it is issued through, and all above, must be good at that moment. */
export const createToken = change<NewToken, NotFound>({
  kind: 'access-token',
  address: 'identity',
  refusals: [],
  describe: ({ id }) => id,
  owner: (db, organizationId, { issuerId, issuerKind }) =>
    findById(db, organizationId, issuerKind, issuerId),
  permissions: ({ needed }) => needed,

  async make(tx, row, input) {
    if (await isOutdated(tx, input)) return new NotFound('auth method');
    return await insertToken(tx, row, input);
  },
});

/** Whether the settings by which a token is issued have changed since they were read. */
async function isOutdated(
  tx: Transaction<Tables>,
  { issuerId, issuerUpdatedAtMs }: NewToken,
): Promise<boolean> {
  if (issuerUpdatedAtMs === undefined) return false;
  const { updated_at_ms } = await tx
    .selectFrom('auth_methods')
    .select('updated_at_ms')
    .where('id', '=', issuerId)
    .executeTakeFirstOrThrow();
  return updated_at_ms !== issuerUpdatedAtMs;
}

/** Inserts an access token, and how it was issued. */
export async function insertToken(
  tx: Transaction<Tables>,
  row: Revocable,
  {
    name,
    permissions,
    secretHash,
    expiresAtMs,
    issuance,
  }: Pick<NewToken, 'name' | 'permissions' | 'secretHash' | 'expiresAtMs' | 'issuance'>,
): Promise<Changed> {
  const made = await insert(tx, {
    ...row,
    name,
    permissions: permissions === null ? null : JSON.stringify(permissions),
    secret_hash: secretHash,
    expires_at_ms: expiresAtMs,
  });
  if (issuance !== null) {
    await tx
      .insertInto('access_tokens')
      .values({
        id: row.id,
        ttl_s: issuance.ttlS,
        max_ttl_s: issuance.maxTtlS,
        period_s: issuance.periodS,
        num_uses: 0,
        num_uses_limit: issuance.usesMax,
        updated_at_ms: row.issued_at_ms,
      })
      .execute();
  }
  return made;
}
