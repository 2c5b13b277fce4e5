import { CompiledQuery, Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import type { Tables } from '../../db/tables.ts';
import { Unavailable } from '../unavailable.ts';
import type { Database, Opened, OpenOptions } from './database.ts';
import { directly, logged, type Run, transactionOn } from './direct.ts';
import { isLost, meaningOf } from './postgres-errors.ts';
import { isPrepared } from './prepare.ts';

/** Connections that read, for each gateway; it has one more that writes. */
const READ_CONNECTIONS_MAX = 10;
/** For a connection to be made, or to be free. */
const CONNECT_TIMEOUT_MS = 5_000;
/** For one statement; beyond it the answer is 503. */
const STATEMENT_TIMEOUT_MS = 10_000;
/** For the turn to write, as long as others have it; beyond it the answer is 503. */
const LOCK_TIMEOUT_MS = 5_000;
/** A gateway that stops within its transaction loses it, and with it its turn. */
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 5_000;
/** As what the server knows the connections of gateways. */
export const APPLICATION_NAME = 'revocation-gateway';

/** Opens a PostgreSQL database. Nothing is asked of it before the first query. */
export function openPostgres(url: string, { log, turns = true }: OpenOptions): Database {
  const common: pg.PoolConfig = {
    connectionString: url,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    // What is prepared on a connection stays there.
    idleTimeoutMillis: 0,
    application_name: APPLICATION_NAME,
    types: { getTypeParser },
  };
  const limited: pg.PoolConfig = {
    ...common,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    lock_timeout: LOCK_TIMEOUT_MS,
    // Where the server is not there to keep to the other one.
    query_timeout: STATEMENT_TIMEOUT_MS + 1_000,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
  };
  const options = '-c default_transaction_read_only=on';
  const readers = openPool({ ...limited, options, max: READ_CONNECTIONS_MAX });
  const writers = openPool({ ...limited, max: 1 });
  const migrators = openPool({ ...common, max: 1 });
  const dialect = new PostgresDialect({ pool: migrators });
  let begin = turns ? BEGIN_IN_TURN : BEGIN;

  async function beginOn(client: pg.PoolClient): Promise<void> {
    try {
      await client.query(begin);
    } catch (error) {
      // Some engines that speak PostgreSQL's protocol have no such lock: what collides is repeated.
      if (begin === BEGIN || !isUnsupported(error)) throw error;
      await client.query('rollback');
      await client.query(BEGIN);
      // Not before: what a standby refuses, the primary that it becomes does not.
      begin = BEGIN;
    }
  }

  return {
    reader: directly(dialect, logged(runOn(readers), log)),
    migrator: new Kysely<Tables>({ dialect, ...(log && { log }) }),
    async begin(): Promise<Opened> {
      const client = await writers.connect().catch((error: unknown) => {
        throw meaningOf(error);
      });
      const end = async (how: 'commit' | 'rollback') => {
        try {
          const { command } = await withoutWarning(client, () => client.query(how));
          log?.({ level: 'query', query: CompiledQuery.raw(how), queryDurationMillis: 0 });
          // After a statement that failed, PostgreSQL takes a commit for a rollback without a word.
          if (command !== how.toUpperCase()) throw new Error(`${how} was answered with ${command}`);
          client.release();
        } catch (error) {
          client.release(true);
          throw meaningOf(error);
        }
      };
      try {
        await beginOn(client);
      } catch (error) {
        client.release(true);
        throw isUnsupported(error)
          ? new Unavailable(`The database takes no writes: ${error.message}`, { cause: error })
          : meaningOf(error);
      }
      let lost = false;
      const run: Run = async (query) => {
        try {
          return await runOn(client)(query);
        } catch (error) {
          lost ||= isLost(error);
          throw error;
        }
      };
      const rollback = async () => {
        // Nobody is there to be told, and the server rolls back by itself.
        if (lost) client.release(true);
        else await end('rollback');
      };
      return {
        tx: transactionOn(dialect, logged(run, log)),
        commit: () => end('commit'),
        rollback,
      };
    },
    async close() {
      await Promise.all([readers, writers, migrators].map((pool) => pool.end()));
    },
  };
}

/** What is committed is on disk, whatever the server does otherwise. */
const DURABLE = `select set_config('synchronous_commit', 'on', true)
where current_setting('synchronous_commit') = 'off'`;

const BEGIN = `begin isolation level serializable; ${DURABLE}`;

/**
 * Serializable transactions that overlap fail, and are repeated. Here they take turns: the lock is asked
 * for before the transaction has seen anything, so that it sees all that was committed before its turn.
 */
const BEGIN_IN_TURN = `begin isolation level serializable;
lock table write_turns in exclusive mode; ${DURABLE}`;

/** Syntax error, feature not supported. */
const isUnsupported = (error: unknown): error is pg.DatabaseError =>
  error instanceof pg.DatabaseError && ['42601', '0A000'].includes(error.code ?? '');

/** A commit that a standby was to confirm, and did not, is answered like any other, with a warning. */
async function withoutWarning<T>(client: pg.PoolClient, run: () => Promise<T>): Promise<T> {
  let warning: string | undefined;
  const hear = ({ code, message }: { code?: string | undefined; message?: string | undefined }) => {
    if (code?.startsWith('01')) warning = message;
  };
  client.on('notice', hear);
  try {
    const result = await run();
    if (warning !== undefined) throw new Unavailable(`The database is in doubt: ${warning}`);
    return result;
  } finally {
    client.off('notice', hear);
  }
}

function openPool(config: pg.PoolConfig): pg.Pool {
  const pool = new pg.Pool({ ...config, verify: refuseStandby });
  // A connection that breaks while nobody uses it is replaced when somebody does. One that breaks
  // between two statements of a transaction fails the next: unheard, it would end the process.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}

/** A standby may be behind what was answered: nothing is read there either. */
function refuseStandby(client: pg.PoolClient, done: (error?: Error) => void): void {
  client
    .query('select pg_is_in_recovery() as standby')
    .then(
      ({ rows }) =>
        done(rows[0].standby ? new Unavailable('The database server is a standby') : undefined),
      done,
    );
}

const names = new Map<string, string>();
let named = 0;

/**
 * The same text has the same name, on each connection that has it prepared. What depends on what a
 * client asks has none: the server keeps each for as long as the connection lives.
 */
function nameOf(sql: string): { name?: string } {
  if (!isPrepared(sql)) return {};
  const name = names.get(sql) ?? `gateway-${++named}`;
  names.set(sql, name);
  return { name };
}

function runOn(connection: pg.Pool | pg.PoolClient): Run {
  return async ({ sql, parameters }) => {
    try {
      const { rowCount, rows } = await connection.query({
        ...nameOf(sql),
        text: sql,
        values: [...parameters],
      });
      return { rows: rows as never[], numAffectedRows: BigInt(rowCount ?? 0) };
    } catch (error) {
      // A newer gateway has changed the schema: everything is prepared anew.
      if (/cached plan must not change/.test(String(error))) names.clear();
      throw meaningOf(error);
    }
  };
}

const INT8 = 20;
const NUMERIC = 1700;

/** Times and counts fit into a number, sums of them too. */
function getTypeParser(type: number, format?: 'text' | 'binary'): unknown {
  return type === INT8 || type === NUMERIC
    ? Number
    : pg.types.getTypeParser(type, format as 'text');
}
