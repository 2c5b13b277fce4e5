import type { Kysely } from 'kysely';
import type { Tables, Target } from '../../db/tables.ts';

/** The environments that must learn what changes in a project, by name. */
export async function liveEnvironments(db: Kysely<Tables>, projectId: string): Promise<Target[]> {
  return await db
    .selectFrom('targets')
    .selectAll()
    .where('scope_id', '=', projectId)
    .where('kind', '=', 'environment')
    .where('removed_at_ms', 'is', null)
    .orderBy('name')
    .execute();
}
