import type { Kysely, Selectable } from 'kysely';
import type { AccessTokensTable, Revocable, Tables } from '../../../db/tables.ts';
import { childrenOf } from '../list.ts';

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

/** A page of the tokens of an auth method, newest first, revoked ones included. */
export async function tokensOf(
  db: Kysely<Tables>,
  methodId: string,
  page: { readonly offset: number; readonly limit: number },
): Promise<IssuedToken[]> {
  const rows = await childrenOf(db, methodId, 'access-token', page);
  const ids = rows.map(({ id }) => id);
  const details = ids.length === 0 ? [] : await accessTokenDetails(db, ids);
  const byId = new Map(details.map((detail) => [detail.id, detail]));
  return rows.map((row) => ({ row, detail: byId.get(row.id) ?? null }));
}
