import type { Kysely } from 'kysely';
import type { Revocable, Tables } from '../../db/tables.ts';

/** Children of one kind, newest first, revoked ones included. */
export async function childrenOf(
  db: Kysely<Tables>,
  parentId: string,
  kind: string,
  { limit, offset = 0, below }: { limit: number; offset?: number; below?: string | undefined },
): Promise<Revocable[]> {
  let query = db
    .selectFrom('revocables')
    .selectAll()
    .where('parent_id', '=', parentId)
    .where('kind', '=', kind);
  if (below !== undefined) query = query.where('id', '<', below);
  return await query.orderBy('id', 'desc').limit(limit).offset(offset).execute();
}
