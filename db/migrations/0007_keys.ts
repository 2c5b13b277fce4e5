import type { Kysely } from 'kysely';

/** From when on a signing key signs: it is published before, so that whoever checks signatures has it by then. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable('signing_keys')
    .addColumn('signs_from_ms', 'bigint', (c) => c.notNull().defaultTo(0))
    .execute();
}
