import type { Kysely } from 'kysely';
import type { Tables } from '../../db/tables.ts';

/** The ids of the environments that must learn what changes in a project. */
export async function liveEnvironments(db: Kysely<Tables>, projectId: string): Promise<string[]> {
  const rows = await db
    .selectFrom('targets')
    .select('id')
    .where('scope_id', '=', projectId)
    .where('kind', '=', 'environment')
    .where('removed_at_ms', 'is', null)
    .execute();
  return rows.map((row) => row.id);
}
