import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import { inject } from 'vitest';
import { engine } from './engine.ts';
import type { Harness } from './harness.ts';

/** Every row of every table but the ledger and what is owed for its entries. */
export async function stored({ running }: Harness): Promise<Record<string, unknown[]>> {
  const { reader } = running.database;
  const tables = await reader.introspection.getTables();
  const found: Record<string, unknown[]> = {};
  // One after the other: a connection for each costs more than all of them.
  for (const { name } of tables.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    if (/^(?:ledger|deliveries|sqlite_.*|kysely_.*)$/.test(name)) continue;
    const all = await sql<Row>`select * from ${sql.table(name)} order by 1`.execute(reader);
    found[name] = all.rows.map(withoutClaim);
  }
  return found;
}

type Row = Record<string, unknown>;

/** Who delivers at the moment is no change. */
const withoutClaim = ({ claimed_by: _by, claimed_until_ms: _until, ...row }: Row): Row => row;

/** Whether a text lies in the files of the database: in a row, in the ledger, or left behind. */
export async function isOnDisk(h: Harness, text: string): Promise<boolean> {
  return (await filesOf(h)).some((file) => readFileSync(file).includes(text));
}

async function filesOf({ folder, running }: Harness): Promise<string[]> {
  if (engine === 'sqlite') {
    return ['gateway.db', 'gateway.db-wal'].map((file) => join(folder, file));
  }
  const { reader } = running.database;
  await sql`checkpoint`.execute(reader);
  const { rows } = await sql<{ oid: number }>`select oid from pg_database
    where datname = current_database()`.execute(reader);
  const folders = [`base/${rows[0]?.oid}`, 'pg_wal'].map((name) =>
    join(inject('postgresData') ?? '', name),
  );
  return folders.flatMap((within) =>
    readdirSync(within, { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => join(within, name)),
  );
}
