import type { Kysely } from 'kysely';
import type { Revocable, Tables } from '../../db/tables.ts';

/** The organization that goes by this name. */
export async function findOrganization(
  db: Kysely<Tables>,
  slug: string,
): Promise<Revocable | undefined> {
  return await db
    .selectFrom('revocables')
    .selectAll()
    .where('slug', '=', slug)
    .where('parent_id', 'is', null)
    .executeTakeFirst();
}

/** The row with this id, where it is of this kind and belongs to this organization. */
export async function findById(
  db: Kysely<Tables>,
  organizationId: string,
  kind: string,
  id: string,
): Promise<Revocable | undefined> {
  return await db
    .selectFrom('revocables')
    .selectAll()
    .where('id', '=', id)
    .where('kind', '=', kind)
    .where('organization_id', '=', organizationId)
    .executeTakeFirst();
}

/** The child of this kind that goes by this name. */
export async function findBySlug(
  db: Kysely<Tables>,
  parentId: string,
  kind: string,
  slug: string,
): Promise<Revocable | undefined> {
  return await db
    .selectFrom('revocables')
    .selectAll()
    .where('parent_id', '=', parentId)
    .where('kind', '=', kind)
    .where('slug', '=', slug)
    .executeTakeFirst();
}

/** The newest child of this kind, revoked or not. */
export async function findNewest(
  db: Kysely<Tables>,
  parentId: string,
  kind: string,
): Promise<Revocable | undefined> {
  return await db
    .selectFrom('revocables')
    .selectAll()
    .where('parent_id', '=', parentId)
    .where('kind', '=', kind)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
}

/** Where an id leads that names the thing itself. */
export async function locateById(
  db: Kysely<Tables>,
  organizationId: string,
  kind: string,
  id: string,
): Promise<{ target: Revocable } | undefined> {
  const target = await findById(db, organizationId, kind, id);
  return target === undefined ? undefined : { target };
}
