import { type Kysely, sql } from 'kysely';
import type { Tables } from '../../db/tables.ts';
import { type Finding, ok, orOk, problem, warning } from './finding.ts';

interface Server {
  readonly version: string;
  readonly number: number;
  readonly fsync: string;
  readonly full_page_writes: string;
  readonly synchronous_commit: string;
  readonly standby_names: string;
  readonly standbys: number;
  /** Whose state this user may not see. */
  readonly hidden: number;
}

/** The oldest version on which everything works. */
const VERSION_LEAST = 140_000;

/** What only a server can have wrong with it. */
export async function checkPostgres(db: Kysely<Tables>): Promise<Finding[]> {
  const { rows } = await sql<Server>`select
    current_setting('server_version') as version,
    current_setting('server_version_num')::int as number,
    current_setting('fsync') as fsync,
    current_setting('full_page_writes') as full_page_writes,
    current_setting('synchronous_commit') as synchronous_commit,
    current_setting('synchronous_standby_names') as standby_names,
    (select count(*)::int from pg_stat_replication where sync_state in ('sync', 'quorum')) as standbys,
    (select count(*)::int from pg_stat_replication where sync_state is null) as hidden`.execute(db);
  const [server] = rows;
  if (server === undefined) throw new Error('The server has not answered');
  return [checkVersion(server), ...checkDurability(server), await checkClock(db)];
}

function checkVersion({ version, number }: Server): Finding {
  if (number >= VERSION_LEAST) return ok('database', `PostgreSQL ${version}`);
  return problem('database', `PostgreSQL ${version} is too old`, 'use version 14 or newer');
}

function checkDurability(server: Server): Finding[] {
  const check = 'durability';
  const { fsync, full_page_writes, synchronous_commit, standby_names } = server;
  const wrong: Finding[] = [];
  for (const [name, value] of Object.entries({ fsync, full_page_writes })) {
    if (value === 'on') continue;
    const what = `${name} is ${value}: what was answered can be lost, or the database damaged`;
    wrong.push(problem(check, what, `set ${name} = on, and restart the server`));
  }
  if (standby_names !== '' && server.standbys + server.hidden === 0) {
    const what = `synchronous_standby_names is ${standby_names}, and no such standby is there`;
    const remedy = 'bring the standby back, or take it out: until then commits wait, and are 503';
    wrong.push(problem(check, what, remedy));
  }
  const commit =
    synchronous_commit === 'off' ? 'on (asked for by the gateway)' : synchronous_commit;
  return orOk(check, wrong, `fsync is on, synchronous_commit ${commit}`);
}

/** By how much the clocks of gateways and of the server may differ. */
const SKEW_MAX_MS = 1_000;

/** Measured in the middle of asking, which may take as long as it likes. */
async function checkClock(db: Kysely<Tables>): Promise<Finding> {
  const askedAt = Date.now();
  const { rows } = await sql<{ now: number }>`select
    (extract(epoch from clock_timestamp()) * 1000)::float8 as now`.execute(db);
  const answeredAt = Date.now();
  const skewMs = Math.round((rows[0]?.now ?? 0) - (askedAt + answeredAt) / 2);
  const what = `differs from the server's by ${skewMs} ms`;
  const surelyMs = Math.abs(skewMs) - (answeredAt - askedAt) / 2;
  if (surelyMs <= SKEW_MAX_MS) return ok('clock', what);
  return warning('clock', what, 'set the clocks of both by NTP: gateways must agree within 1 s');
}
