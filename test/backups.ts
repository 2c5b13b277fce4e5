import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import type { Demo } from '../db/demo.ts';
import { gatewayJson, newFolder, type Settings, settingsIn } from './processes.ts';

/** Backups of SQLite files, as operators make and restore them. */

/** What `backup --json` prints. */
export interface Backup {
  readonly file: string;
  readonly bytes: number;
  readonly lastSeq: number;
  readonly at: string;
  readonly durationMs: number;
  readonly secretKeyFile: string;
}

/** What `restore --json` prints. */
export interface Restored {
  readonly file: string;
  readonly lastSeq: number;
  readonly lastAt: string | null;
  readonly keptAs: string | null;
  readonly missing: {
    readonly entries: number;
    readonly revocations: number;
    readonly unreadArchives: readonly object[];
    readonly revivedKeys: readonly string[];
  } | null;
}

export const backUp = (env: Settings, to: string): Promise<Backup> =>
  gatewayJson(env, 'backup', '--to', to);

export const restoreFrom = (env: Settings, from: string): Promise<Restored> =>
  gatewayJson(env, 'restore', '--from', from);

/** A database with demo data that nobody serves yet, and where its files lie. */
export async function filled(count = 3, more: Settings = {}) {
  const folder = newFolder();
  const env: Settings = { ...settingsIn(folder), LOG_LEVEL: 'silent', ...more };
  const demo = await gatewayJson<Demo>(env, 'demo', '--count', String(count));
  const file = join(folder, 'gateway.db');
  return { folder, env, demo, file, at: (name: string) => join(folder, name) };
}

/** Looks into an SQLite file that nobody has open. */
export function lookInto<T>(file: string, work: (db: Sqlite.Database) => T): T {
  const db = new Sqlite(file);
  try {
    return work(db);
  } finally {
    db.close();
  }
}

/** Adds entries to the ledger that take so many megabytes together. */
export function fatten(file: string, megabytes: number): void {
  lookInto(file, (db) => {
    db.exec(
      `insert into ledger (seq, id, organization_id, at_ms, action, kind, target, outcome, comment,
         actor, surface, request_id)
       with recursive n(i) as (select 1 union all select i + 1 from n where i < ${megabytes * 40}),
         ends(last) as (select coalesce(max(seq), 0) from ledger)
       select last + i, 'fat-' || i, (select id from revocables where slug = 'acme'), 1, 'update',
         'api-key', 'key', 'done', '${'x'.repeat(25_000)}', 'ada', 'rest', 'req' from n, ends`,
    );
  });
}

/** Turns a byte of a file into another. */
export function damage(file: string, at: number): void {
  const fd = openSync(file, 'r+');
  const byte = Buffer.alloc(1);
  readSync(fd, byte, 0, 1, at);
  writeSync(fd, Buffer.of((byte[0] ?? 0) ^ 0xff), 0, 1, at);
  closeSync(fd);
}
