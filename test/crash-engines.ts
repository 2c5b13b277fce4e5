import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import pg from 'pg';
import type { Gateway } from './crash-gateway.ts';
import { startPostgres } from './postgres-server.ts';

export type EngineName = 'sqlite' | 'postgres';

/** A database for crashes: how it is crashed, and how it is looked at past the gateway. */
export interface CrashEngine {
  readonly databaseUrl: string;
  /** For the secret key. */
  readonly folder: string;
  /** Kills with `SIGKILL` whatever must survive it. */
  crash(gateway: Gateway): Promise<void>;
  /** Has it run again, and gives the gateway that serves then. */
  restart(gateway: Gateway): Promise<Gateway>;
  all<Row>(sql: string): Promise<Row[]>;
  /** What the engine itself finds wrong with its files. */
  damage(): Promise<string[]>;
  remove(): Promise<void>;
}

/** Makes a new, empty database of each engine. */
export const engines: Record<EngineName, () => Promise<CrashEngine>> = {
  async sqlite() {
    const folder = newFolder();
    const file = join(folder, 'gateway.db');
    const look = <T>(work: (db: Sqlite.Database) => T): T => {
      const db = new Sqlite(file, { readonly: true });
      try {
        return work(db);
      } finally {
        db.close();
      }
    };
    return {
      databaseUrl: `sqlite:${file}`,
      folder,
      crash: (gateway) => gateway.kill9(),
      restart: (gateway) => gateway.again(),
      all: async <Row>(sql: string) => look((db) => db.prepare<[], Row>(sql).all()),
      damage: async () =>
        look((db) => {
          const integrity = db.pragma('integrity_check') as { integrity_check: string }[];
          const references = db.pragma('foreign_key_check') as unknown[];
          return [
            ...integrity.map((row) => row.integrity_check).filter((word) => word !== 'ok'),
            ...references.map((row) => `refers to nothing: ${JSON.stringify(row)}`),
          ];
        }),
      remove: async () => rmSync(folder, { recursive: true, force: true }),
    };
  },

  async postgres() {
    const server = await startPostgres({ fsync: true });
    const folder = newFolder();
    const looked = await lookAt(server.url());
    return {
      databaseUrl: server.url(),
      folder,
      crash: () => server.kill9(),
      async restart(gateway) {
        await server.start();
        return gateway;
      },
      ...looked,
      async remove() {
        await server.remove();
        rmSync(folder, { recursive: true, force: true });
      },
    };
  },
};

/** Looks at a PostgreSQL database, past the gateway. */
export async function lookAt(url: string): Promise<Pick<CrashEngine, 'all' | 'damage'>> {
  const all = async <Row>(sql: string): Promise<Row[]> => {
    const client = new pg.Client({ connectionString: url });
    client.setTypeParser(pg.types.builtins.INT8, Number);
    await client.connect();
    try {
      return (await client.query(sql)).rows as Row[];
    } finally {
      await client.end();
    }
  };
  await all('create extension if not exists amcheck');
  return {
    all,
    async damage() {
      try {
        await all(everyIndex);
        return (await all<{ msg: string }>(everyTable)).map(({ msg }) => msg);
      } catch (error) {
        return [(error as Error).message];
      }
    },
  };
}

const newFolder = () => mkdtempSync(join(tmpdir(), 'gateway-crash-'));

const ours = `join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'public'`;

/** Raises an error for an index that does not fit its table. */
const everyIndex = `select bt_index_check(c.oid, true) from pg_class c ${ours} and c.relkind = 'i'`;

const everyTable = `select c.relname || ': ' || v.msg as msg
from pg_class c ${ours.replace('where', 'cross join lateral verify_heapam(c.oid) v where')}
and c.relkind = 'r'`;
