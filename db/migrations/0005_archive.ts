import { type Kysely, PostgresAdapter, sql } from 'kysely';

/**
 * What archiving and pruning need: the ranges of the ledger that are in files, guards that let exactly
 * these go, and indexes of what is expired and of what refers to a row that goes.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const postgres = db.getExecutor().adapter instanceof PostgresAdapter;
  const sequence = postgres ? 'bigint' : 'integer';

  await db.schema
    .createTable('archives')
    .addColumn('last_seq', sequence, (c) => c.primaryKey().notNull())
    .addColumn('first_seq', 'bigint', (c) => c.notNull())
    .addColumn('last_at_ms', 'bigint', (c) => c.notNull())
    .addColumn('entries', 'bigint', (c) => c.notNull())
    .addColumn('deliveries', 'bigint', (c) => c.notNull())
    .addColumn('digest', 'text', (c) => c.notNull())
    .addColumn('file', 'text', (c) => c.notNull())
    .addColumn('archived_at_ms', 'bigint', (c) => c.notNull())
    .addColumn('told_organization_id', 'text', (c) => c.notNull())
    .addColumn('removed_at_ms', 'bigint')
    .execute();

  await db.schema
    .createTable('archive_ends')
    .addColumn('organization_id', 'text', (c) =>
      c.primaryKey().notNull().references('revocables.id'),
    )
    .addColumn('last_seq', 'bigint', (c) => c.notNull())
    .addColumn('last_at_ms', 'bigint', (c) => c.notNull())
    .execute();

  // What is expired, and what belongs to a row that goes: engines look for that. Revoking changes nothing in it.
  await db.schema
    .createIndex('revocables_expired')
    .on('revocables')
    .columns(['organization_id', 'expires_at_ms', 'id'])
    .execute();
  for (const column of ['organization_id', 'scope_id']) {
    await db.schema
      .createIndex(`targets_${column.replace('_id', '')}`)
      .on('targets')
      .column(column)
      .execute();
  }
  await db.schema
    .createIndex('targets_rotated')
    .on('targets')
    .column('previous_secret_until_ms')
    .where(sql<boolean>`previous_secret_until_ms is not null`)
    .execute();

  for (const statement of postgres ? guardsPostgres : guardsSqlite) {
    await sql.raw(statement).execute(db);
  }
}

/** The revocation of a row, while the ledger has it. */
const recorded = `exists (select 1 from ledger where organization_id = old.organization_id
  and id = old.revocation_id and action = 'revoke' and outcome = 'done')`;

const archived = 'exists (select 1 from archives where last_seq >= old.seq)';

/** Each range begins behind the one before (null where the ledger is empty); the ledger keeps an entry, so that no number is used twice. */
const follows = `new.first_seq = coalesce((select max(last_seq) + 1 from archives), (select min(seq) from ledger))
  and new.last_seq >= new.first_seq and new.last_seq < (select max(seq) from ledger)`;

const texts = {
  ledger: 'the ledger is append-only',
  deliveries: 'a delivery stays until it is archived',
  archives: 'an archive stays',
  follows: 'an archive follows the one before, and leaves the newest entry',
  revocables: 'what is revoked stays revoked',
};

const range = ['last_seq', 'first_seq', 'last_at_ms', 'entries', 'deliveries', 'digest'].join(', ');

const guardsSqlite = [
  'drop trigger ledger_no_delete',
  `create trigger ledger_no_delete before delete on ledger when not ${archived}
begin select raise(abort, '${texts.ledger}'); end`,
  'drop trigger ledger_no_replace',
  // What is archived is not forged either: nothing is inserted but behind the end.
  `create trigger ledger_no_replace before insert on ledger
when new.seq <= (select max(seq) from ledger)
begin select raise(abort, '${texts.ledger}'); end`,
  `create trigger deliveries_stay before delete on deliveries
when (old.acknowledged_at_ms is null and old.closed_at_ms is null) or not ${archived}
begin select raise(abort, '${texts.deliveries}'); end`,
  `create trigger archives_follow before insert on archives when (${follows}) is not true
begin select raise(abort, '${texts.follows}'); end`,
  `create trigger archives_no_update before update of ${range} on archives
begin select raise(abort, '${texts.archives}'); end`,
  `create trigger archives_no_delete before delete on archives
begin select raise(abort, '${texts.archives}'); end`,
  'drop trigger revocables_stay',
  `create trigger revocables_stay before delete on revocables
when old.revoked_at_ms is not null and (old.expires_at_ms is null
  or old.expires_at_ms > unixepoch('subsec') * 1000 or ${recorded})
begin select raise(abort, '${texts.revocables}'); end`,
];

const onlyIf = (name: string, condition: string, row: 'old' | 'new' = 'old') =>
  `create function ${name}() returns trigger language plpgsql as
$$ begin if ${condition} then return ${row}; end if; raise exception '%', tg_argv[0]; end $$`;

const guardsPostgres = [
  onlyIf('only_archived', archived),
  onlyIf(
    'only_finished',
    `(old.acknowledged_at_ms is not null or old.closed_at_ms is not null) and ${archived}`,
  ),
  onlyIf('only_following', follows, 'new'),
  onlyIf(
    'only_ended',
    `old.expires_at_ms <= extract(epoch from clock_timestamp()) * 1000 and not ${recorded}`,
  ),
  'drop trigger ledger_no_change on ledger',
  `create trigger ledger_no_update before update on ledger
for each row execute function refuse_change('${texts.ledger}')`,
  `create trigger ledger_no_delete before delete on ledger
for each row execute function only_archived('${texts.ledger}')`,
  `create trigger deliveries_stay before delete on deliveries
for each row execute function only_finished('${texts.deliveries}')`,
  `create trigger deliveries_no_truncate before truncate on deliveries
for each statement execute function refuse_change('${texts.deliveries}')`,
  `create trigger archives_follow before insert on archives
for each row execute function only_following('${texts.follows}')`,
  `create trigger archives_no_update before update of ${range} on archives
for each row execute function refuse_change('${texts.archives}')`,
  `create trigger archives_no_delete before delete on archives
for each row execute function refuse_change('${texts.archives}')`,
  `create trigger archives_no_truncate before truncate on archives
for each statement execute function refuse_change('${texts.archives}')`,
  `create or replace trigger revocables_stay before delete on revocables
for each row when (old.revoked_at_ms is not null)
execute function only_ended('${texts.revocables}')`,
];
