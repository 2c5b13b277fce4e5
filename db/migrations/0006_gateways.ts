import { type Kysely, PostgresAdapter } from 'kysely';

/** What several gateways on one database need: turns in writing, and who is delivering to a target. */
export async function up(db: Kysely<unknown>): Promise<void> {
  if (db.getExecutor().adapter instanceof PostgresAdapter) {
    // Without rows: its lock is what writers take turns by.
    await db.schema
      .createTable('write_turns')
      .addColumn('id', 'integer', (c) => c.primaryKey().notNull())
      .execute();
  }
  await db.schema.alterTable('targets').addColumn('claimed_by', 'text').execute();
  await db.schema.alterTable('targets').addColumn('claimed_until_ms', 'bigint').execute();
}
