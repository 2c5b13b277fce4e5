import type { Kysely, Selectable } from 'kysely';
import type { AccessTokensTable, Revocable, Tables } from '../../../db/tables.ts';

export type AccessTokenDetail = Selectable<AccessTokensTable>;

/** How access tokens were issued and used, in no order. */
export const accessTokenDetails = (
  db: Kysely<Tables>,
  ids: readonly string[],
): Promise<AccessTokenDetail[]> =>
  db.selectFrom('access_tokens').selectAll().where('id', 'in', ids).execute();

/** An access token, with how it was issued; the latter is null where that was not kept. */
export interface IssuedToken {
  readonly row: Revocable;
  readonly detail: AccessTokenDetail | null;
}

/** A page of the tokens of an auth method, the last changed first, revoked ones included. */
export async function tokensOf(
  db: Kysely<Tables>,
  methodId: string,
  { offset, limit }: { readonly offset: number; readonly limit: number },
): Promise<IssuedToken[]> {
  const rows = await db
    .selectFrom('revocables')
    .leftJoin('access_tokens', 'access_tokens.id', 'revocables.id')
    .selectAll('revocables')
    .where('parent_id', '=', methodId)
    .where('kind', '=', 'access-token')
    .orderBy((eb) => eb.fn.coalesce('updated_at_ms', 'issued_at_ms'), 'desc')
    .orderBy('revocables.id', 'desc')
    .limit(limit)
    .offset(offset)
    .execute();
  const details =
    rows.length === 0
      ? []
      : await accessTokenDetails(
          db,
          rows.map(({ id }) => id),
        );
  const byId = new Map(details.map((detail) => [detail.id, detail]));
  return rows.map((row) => ({ row, detail: byId.get(row.id) ?? null }));
}
