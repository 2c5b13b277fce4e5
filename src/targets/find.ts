import type { Kysely } from 'kysely';
import type { Tables, Target } from '../../db/tables.ts';
import type { TargetKind } from '../delivery/targets.ts';

/** A target, and the name of the project that it belongs to, if to one. */
export interface Found {
  readonly target: Target;
  readonly project: string | undefined;
}

/** The target with this id, where it belongs to this organization and is not removed. */
export async function findTarget(
  db: Kysely<Tables>,
  organizationId: string,
  id: string,
): Promise<Found | undefined> {
  const row = await db
    .selectFrom('targets')
    .innerJoin('revocables as scope', 'scope.id', 'targets.scope_id')
    .selectAll('targets')
    .select(['scope.kind as scopeKind', 'scope.slug as scopeSlug'])
    .where('targets.id', '=', id)
    .where('targets.organization_id', '=', organizationId)
    .where('removed_at_ms', 'is', null)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const { scopeKind, scopeSlug, ...target } = row;
  return { target, project: scopeKind === 'project' ? (scopeSlug ?? undefined) : undefined };
}

/** Whether a target that is not removed has this name: it is unique in its scope and kind. */
export async function isNameTaken(
  db: Kysely<Tables>,
  scopeId: string,
  kind: TargetKind,
  name: string,
): Promise<boolean> {
  const present = await db
    .selectFrom('targets')
    .select('id')
    .where('scope_id', '=', scopeId)
    .where('kind', '=', kind)
    .where('name', '=', name)
    .where('removed_at_ms', 'is', null)
    .executeTakeFirst();
  return present !== undefined;
}
