import { type Kysely, PostgresAdapter, sql } from 'kysely';

/** What issuing credentials needs: uses of tokens, OAuth clients, sources of JWKs, and cut-offs. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const postgres = db.getExecutor().adapter instanceof PostgresAdapter;

  await db.schema.alterTable('revocables').addColumn('created_by', 'text').execute();
  await db.schema
    .createTable('access_tokens')
    .addColumn('id', 'text', (c) => c.primaryKey().notNull().references('revocables.id'))
    .addColumn('ttl_s', 'integer', (c) => c.notNull())
    .addColumn('max_ttl_s', 'integer', (c) => c.notNull())
    .addColumn('period_s', 'integer', (c) => c.notNull())
    .addColumn('num_uses', 'integer', (c) => c.notNull())
    .addColumn('num_uses_limit', 'integer', (c) => c.notNull())
    .addColumn('updated_at_ms', 'bigint', (c) => c.notNull())
    .addCheckConstraint('uses', sql`num_uses_limit = 0 or num_uses <= num_uses_limit`)
    .execute();

  await db.schema
    .createTable('oauth_clients')
    .addColumn('id', 'text', (c) => c.primaryKey().notNull().references('revocables.id'))
    .addColumn('public_keys', 'text')
    .execute();
  await db.schema
    .createTable('client_assertions')
    .addColumn('client_id', 'text', (c) => c.notNull().references('oauth_clients.id'))
    .addColumn('assertion_hash', 'text', (c) => c.notNull())
    .addColumn('expires_at_ms', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('client_assertions_pkey', ['client_id', 'assertion_hash'])
    .execute();
  await db.schema
    .createIndex('client_assertions_expired')
    .on('client_assertions')
    .columns(['client_id', 'expires_at_ms'])
    .execute();

  await db.schema
    .alterTable('jwks')
    .addColumn('kid', 'text', (c) => c.notNull().defaultTo(''))
    .execute();
  await db.schema
    .alterTable('jwks')
    .addColumn('source', 'text', (c) => c.notNull().defaultTo('pasted'))
    .execute();
  await db.schema.alterTable('jwks').addColumn('url', 'text').execute();
  await nameKeys(db);
  await db.schema.createIndex('jwks_kid').on('jwks').column('kid').execute();
  await db.schema
    .createIndex('jwk_assignments_jwk')
    .on('jwk_assignments')
    .column('jwk_id')
    .execute();

  await db.schema
    .createTable('cut_offs')
    .addColumn('id', 'text', (c) => c.primaryKey().notNull())
    .addColumn('organization_id', 'text', (c) => c.notNull().references('revocables.id'))
    .addColumn('issuer', 'text', (c) => c.notNull())
    .addColumn('scope', 'text', (c) => c.notNull())
    .addColumn('value', 'text', (c) => c.notNull())
    .addColumn('before_ms', 'bigint')
    .addCheckConstraint('scope', sql`scope in ('token', 'subject', 'key', 'issuer')`)
    .execute();
  await db.schema
    .createIndex('cut_offs_match')
    .on('cut_offs')
    .columns(['organization_id', 'issuer', 'scope', 'value'])
    .execute();
  for (const statement of postgres ? guardsPostgres : guardsSqlite) {
    await sql.raw(statement).execute(db);
  }
}

/** Keys that were there before are found by the `kid` in their JSON. */
async function nameKeys(db: Kysely<unknown>): Promise<void> {
  const keys = db as Kysely<{ jwks: { id: string; public_jwk: string; kid: string } }>;
  for (const { id, public_jwk } of await keys.selectFrom('jwks').selectAll().execute()) {
    const { kid = '' } = JSON.parse(public_jwk) as { kid?: string };
    await keys.updateTable('jwks').set({ kid }).where('id', '=', id).execute();
  }
}

const guardsSqlite = [
  `create trigger cut_offs_no_update before update on cut_offs
begin select raise(abort, 'a cut-off stays'); end`,
  `create trigger cut_offs_no_delete before delete on cut_offs
begin select raise(abort, 'a cut-off stays'); end`,
];

const guardsPostgres = [
  `create trigger cut_offs_no_change before update or delete on cut_offs
for each row execute function refuse_change('a cut-off stays')`,
];
