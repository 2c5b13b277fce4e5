import { type Kysely, PostgresAdapter, sql } from 'kysely';

/** The first schema: what can be revoked, its details, the ledger, and deliveries to targets. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const postgres = db.getExecutor().adapter instanceof PostgresAdapter;
  // SQLite makes only a column of exactly this type the row's own address.
  const sequence = postgres ? 'bigint' : 'integer';

  await db.schema
    .createTable('revocables')
    .addColumn('id', 'text', (c) => c.primaryKey().notNull())
    .addColumn('organization_id', 'text', (c) => c.notNull().references('revocables.id'))
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('parent_id', 'text', (c) => c.references('revocables.id'))
    .addColumn('slug', 'text')
    .addColumn('name', 'text')
    .addColumn('permissions', 'text')
    .addColumn('secret_hash', 'text', (c) => c.unique())
    .addColumn('issued_at_ms', 'bigint', (c) => c.notNull())
    .addColumn('expires_at_ms', 'bigint')
    .addColumn('revoked_at_ms', 'bigint')
    .addColumn('revoked_by', 'text')
    .addColumn('reason', 'text')
    .addColumn('revocation_id', 'text')
    .addCheckConstraint('root', sql`(parent_id is null) = (organization_id = id)`)
    .execute();
  await db.schema
    .createIndex('revocables_children')
    .on('revocables')
    .columns(['parent_id', 'kind', 'id'])
    .execute();
  await db.schema
    .createIndex('revocables_slug')
    .unique()
    .on('revocables')
    .columns(['parent_id', 'kind', 'slug'])
    .where(sql<boolean>`slug is not null`)
    .execute();
  await db.schema
    .createIndex('organizations_slug')
    .unique()
    .on('revocables')
    .column('slug')
    .where(sql<boolean>`parent_id is null`)
    .execute();

  await db.schema
    .createTable('auth_methods')
    .addColumn('id', 'text', (c) => c.primaryKey().notNull().references('revocables.id'))
    .addColumn('access_token_ttl_s', 'integer', (c) => c.notNull())
    .addColumn('access_token_max_ttl_s', 'integer', (c) => c.notNull())
    .addColumn('access_token_period_s', 'integer', (c) => c.notNull())
    .addColumn('access_token_num_uses_limit', 'integer', (c) => c.notNull())
    .addColumn('access_token_trusted_ips', 'text', (c) => c.notNull())
    .addColumn('updated_at_ms', 'bigint', (c) => c.notNull())
    .execute();
  await db.schema
    .createTable('jwt_auths')
    .addColumn('id', 'text', (c) => c.primaryKey().notNull().references('auth_methods.id'))
    .addColumn('configuration_type', 'text', (c) => c.notNull())
    .addColumn('jwks_url', 'text', (c) => c.notNull())
    .addColumn('public_keys', 'text', (c) => c.notNull())
    .addColumn('bound_issuer', 'text', (c) => c.notNull())
    .addColumn('bound_audiences', 'text', (c) => c.notNull())
    .addColumn('bound_claims', 'text', (c) => c.notNull())
    .addColumn('bound_subject', 'text', (c) => c.notNull())
    .execute();
  await db.schema
    .createTable('jwks')
    .addColumn('id', 'text', (c) => c.primaryKey().notNull().references('revocables.id'))
    .addColumn('public_jwk', 'text', (c) => c.notNull())
    .execute();
  await db.schema
    .createTable('jwk_assignments')
    .addColumn('id', 'text', (c) => c.primaryKey().notNull().references('revocables.id'))
    .addColumn('jwk_id', 'text', (c) => c.notNull().references('jwks.id'))
    .execute();

  await db.schema
    .createTable('ledger')
    .addColumn('seq', sequence, (c) => c.primaryKey().notNull())
    .addColumn('id', 'text', (c) => c.notNull())
    .addColumn('organization_id', 'text', (c) => c.notNull().references('revocables.id'))
    .addColumn('at_ms', 'bigint', (c) => c.notNull())
    .addColumn('action', 'text', (c) => c.notNull())
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('target_id', 'text')
    .addColumn('target', 'text', (c) => c.notNull())
    .addColumn('outcome', 'text', (c) => c.notNull())
    .addColumn('refusal', 'text')
    .addColumn('reason', 'text')
    .addColumn('comment', 'text')
    .addColumn('actor', 'text', (c) => c.notNull())
    .addColumn('actor_id', 'text')
    .addColumn('surface', 'text', (c) => c.notNull())
    .addColumn('request_id', 'text', (c) => c.notNull())
    .addCheckConstraint('outcome', sql`outcome in ('done', 'refused')`)
    .addCheckConstraint('refusal', sql`(outcome = 'refused') = (refusal is not null)`)
    .execute();
  await db.schema
    .createIndex('ledger_organization')
    .on('ledger')
    .columns(['organization_id', 'seq'])
    .execute();
  await db.schema
    .createIndex('ledger_revocations')
    .unique()
    .on('ledger')
    .columns(['organization_id', 'id'])
    .where(sql<boolean>`action = 'revoke' and outcome = 'done'`)
    .execute();

  await db.schema
    .createTable('targets')
    .addColumn('id', 'text', (c) => c.primaryKey().notNull())
    .addColumn('organization_id', 'text', (c) => c.notNull().references('revocables.id'))
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('scope_id', 'text', (c) => c.notNull().references('revocables.id'))
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('url', 'text', (c) => c.notNull())
    .addColumn('secret_jwe', 'text', (c) => c.notNull())
    .addColumn('created_at_ms', 'bigint', (c) => c.notNull())
    .addColumn('removed_at_ms', 'bigint')
    .execute();
  await db.schema
    .createIndex('targets_live')
    .unique()
    .on('targets')
    .columns(['scope_id', 'kind', 'name'])
    .where(sql<boolean>`removed_at_ms is null`)
    .execute();
  await db.schema
    .createTable('deliveries')
    .addColumn('seq', sequence, (c) => c.notNull().references('ledger.seq'))
    .addColumn('target_id', 'text', (c) => c.notNull().references('targets.id'))
    .addColumn('attempts', 'integer', (c) => c.notNull())
    .addColumn('notified_at_ms', 'bigint')
    .addColumn('acknowledged_at_ms', 'bigint')
    .addColumn('last_error', 'text')
    .addPrimaryKeyConstraint('deliveries_pkey', ['seq', 'target_id'])
    .execute();

  await db.schema
    .createTable('signing_keys')
    .addColumn('kid', 'text', (c) => c.primaryKey().notNull())
    .addColumn('public_jwk', 'text', (c) => c.notNull())
    .addColumn('private_jwe', 'text', (c) => c.notNull())
    .addColumn('created_at_ms', 'bigint', (c) => c.notNull())
    .addColumn('retired_at_ms', 'bigint')
    .execute();

  for (const statement of postgres ? guardsPostgres : guardsSqlite) {
    await sql.raw(statement).execute(db);
  }
}

const guardsSqlite = [
  `create trigger ledger_no_update before update on ledger
begin select raise(abort, 'the ledger is append-only'); end`,
  // REPLACE deletes without a word on a connection that has not asked for recursive triggers.
  `create trigger ledger_no_replace before insert on ledger
when exists (select 1 from ledger where seq = new.seq)
begin select raise(abort, 'the ledger is append-only'); end`,
  `create trigger ledger_no_delete before delete on ledger
begin select raise(abort, 'the ledger is append-only'); end`,
  `create trigger revocables_stay_revoked
before update of revoked_at_ms, revoked_by, reason, revocation_id on revocables
when old.revoked_at_ms is not null
begin select raise(abort, 'what is revoked stays revoked'); end`,
  `create trigger revocables_stay before delete on revocables when old.revoked_at_ms is not null
begin select raise(abort, 'what is revoked stays revoked'); end`,
];

const guardsPostgres = [
  `create function refuse_change() returns trigger language plpgsql as
$$ begin raise exception '%', tg_argv[0]; end $$`,
  `create trigger ledger_no_change before update or delete on ledger
for each row execute function refuse_change('the ledger is append-only')`,
  `create trigger ledger_no_truncate before truncate on ledger
for each statement execute function refuse_change('the ledger is append-only')`,
  `create trigger revocables_stay_revoked
before update of revoked_at_ms, revoked_by, reason, revocation_id on revocables
for each row when (old.revoked_at_ms is not null)
execute function refuse_change('what is revoked stays revoked')`,
  `create trigger revocables_stay before delete on revocables
for each row when (old.revoked_at_ms is not null)
execute function refuse_change('what is revoked stays revoked')`,
];
