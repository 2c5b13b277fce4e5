import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import type { Harness } from './harness.ts';

/** Every row of every table but the ledger and what is owed for its entries. */
export function stored({ folder }: Harness): Record<string, unknown[]> {
  const db = new Sqlite(join(folder, 'gateway.db'), { readonly: true });
  try {
    const tables = db
      .prepare(
        `select name from sqlite_master where type = 'table'
         and name not in ('ledger', 'deliveries') and name not like 'kysely%' order by name`,
      )
      .pluck()
      .all() as string[];
    return Object.fromEntries(
      tables.map((table) => [table, db.prepare(`select * from "${table}" order by 1`).all()]),
    );
  } finally {
    db.close();
  }
}

/** Whether a text lies in the files of the database: in a row, in the ledger, or left behind. */
export const isOnDisk = ({ folder }: Harness, text: string): boolean =>
  ['gateway.db', 'gateway.db-wal'].some((file) => readFileSync(join(folder, file)).includes(text));
