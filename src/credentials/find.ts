import type { Kysely } from 'kysely';
import type { Revocable, Tables } from '../../db/tables.ts';
import { prepare } from '../database/prepare.ts';

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
  return (await byId(db, { organizationId, kind, id })).rows[0];
}

const byId = prepare<{ organizationId: string; kind: string; id: string }, Revocable>((db, slot) =>
  db
    .selectFrom('revocables')
    .selectAll()
    .where('id', '=', slot('id'))
    .where('kind', '=', slot('kind'))
    .where('organization_id', '=', slot('organizationId')),
);

/** The child of this kind that goes by this name. */
export async function findBySlug(
  db: Kysely<Tables>,
  parentId: string,
  kind: string,
  slug: string,
): Promise<Revocable | undefined> {
  return (await bySlug(db, { parentId, kind, slug })).rows[0];
}

const bySlug = prepare<{ parentId: string; kind: string; slug: string }, Revocable>((db, slot) =>
  db
    .selectFrom('revocables')
    .selectAll()
    .where('parent_id', '=', slot('parentId'))
    .where('kind', '=', slot('kind'))
    .where('slug', '=', slot('slug')),
);

/**
 * The child of this kind that is not revoked; where all are, the newest. Ids alone do not tell: each
 * gateway makes them by its own clock, and before its turn to write.
 */
export async function findNewest(
  db: Kysely<Tables>,
  parentId: string,
  kind: string,
): Promise<Revocable | undefined> {
  return (await newest(db, { parentId, kind })).rows[0];
}

const newest = prepare<{ parentId: string; kind: string }, Revocable>((db, slot) =>
  db
    .selectFrom('revocables')
    .selectAll()
    .where('parent_id', '=', slot('parentId'))
    .where('kind', '=', slot('kind'))
    .orderBy((eb) => eb('revoked_at_ms', 'is', null), 'desc')
    .orderBy('id', 'desc')
    .limit(1),
);

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
