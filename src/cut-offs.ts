import type { Kysely } from 'kysely';
import type { Tables } from '../db/tables.ts';

/** What cut-offs go by: one token, all of a subject, all that a key signed, all of an issuer. */
export const cutOffScopes = ['token', 'subject', 'key', 'issuer'] as const;

export type CutOffScope = (typeof cutOffScopes)[number];

/** A JWT that is no row here, as far as cut-offs go by it. */
export interface ForeignToken {
  readonly issuer: string;
  /** Its `jti`; where it has none, `sha256:` and its hash. */
  readonly tokenId: string;
  readonly subject: string;
  readonly keyId: string | undefined;
  /** The earliest moment at which it can have been issued: `iat` may be whole seconds. */
  readonly issuedAtMs: number | undefined;
}

/**
 * Whether a cut-off ends the token. All that fit count, so the greatest moment decides. Where the
 * token leaves open whether one fits, it does: without `iat` it may have been issued before, and
 * without `kid` any key may have signed it.
 */
export async function isCutOff(
  db: Kysely<Tables>,
  organizationId: string,
  token: ForeignToken,
): Promise<boolean> {
  const values: Record<CutOffScope, string | undefined> = {
    token: token.tokenId,
    subject: token.subject,
    key: token.keyId,
    issuer: '',
  };
  const rows = await db
    .selectFrom('cut_offs')
    .select('before_ms')
    .where('organization_id', '=', organizationId)
    .where('issuer', '=', token.issuer)
    .where((eb) =>
      eb.or(
        cutOffScopes.map((scope) => {
          const value = values[scope];
          const within = eb('scope', '=', scope);
          return value === undefined ? within : eb.and([within, eb('value', '=', value)]);
        }),
      ),
    )
    .execute();
  return rows.some(
    ({ before_ms }) =>
      before_ms === null || token.issuedAtMs === undefined || token.issuedAtMs < before_ms,
  );
}
