import { type Kysely, sql } from 'kysely';

/** What the feed needs: the revoked rows on which JWTs of the gateway may stand, without the others. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createIndex('revocables_revoked')
    .on('revocables')
    .columns(['organization_id', 'id'])
    .where(
      sql<boolean>`revoked_at_ms is not null and kind in
  ('organization', 'identity', 'jwt-auth', 'token-auth', 'oauth-client', 'service-account', 'access-token')`,
    )
    .execute();
}
