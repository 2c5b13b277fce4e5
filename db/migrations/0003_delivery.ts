import { type Kysely, sql } from 'kysely';

/** What bringing revocations to every place needs: kinds of targets, retries, and what is stuck. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const [column, type] of [
    ['events', 'text'],
    ['kinds', 'text'],
    ['previous_secret_jwe', 'text'],
    ['previous_secret_until_ms', 'bigint'],
    ['late_since_ms', 'bigint'],
  ] as const) {
    await db.schema.alterTable('targets').addColumn(column, type).execute();
  }
  await db.schema
    .createIndex('targets_subscribers')
    .on('targets')
    .columns(['organization_id', 'kind'])
    .where(sql<boolean>`removed_at_ms is null`)
    .execute();
  await db.schema
    .createIndex('targets_listed')
    .on('targets')
    .columns(['organization_id', 'id'])
    .where(sql<boolean>`removed_at_ms is null`)
    .execute();

  await db.schema
    .createIndex('targets_late')
    .on('targets')
    .column('id')
    .where(sql<boolean>`late_since_ms is not null`)
    .execute();

  for (const [column, type] of [
    ['next_attempt_at_ms', 'bigint'],
    ['stuck_at_ms', 'bigint'],
    ['closed_at_ms', 'bigint'],
    ['closed_by', 'text'],
    ['closed_reason', 'text'],
  ] as const) {
    await db.schema.alterTable('deliveries').addColumn(column, type).execute();
  }
  await db.schema
    .createIndex('deliveries_open')
    .on('deliveries')
    .columns(['target_id', 'seq'])
    .where(
      sql<boolean>`acknowledged_at_ms is null and closed_at_ms is null and stuck_at_ms is null`,
    )
    .execute();
  await db.schema
    .createIndex('deliveries_stuck')
    .on('deliveries')
    .columns(['target_id', 'seq'])
    .where(
      sql<boolean>`acknowledged_at_ms is null and closed_at_ms is null and stuck_at_ms is not null`,
    )
    .execute();
}
