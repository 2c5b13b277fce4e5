import { statSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { expect, test } from 'vitest';
import { queriesOfEverything } from './every-query.ts';
import { openGateway } from './harness.ts';

/** Read whole at times: it has a row for each signing key, of which there are a few. */
const small = ['signing_keys'];

/** What a query has itself just made: as many rows as it read by an index, or a bounded number. */
const made = ['chain', 'page', 'CONSTANT', 'behind', 'owed', 'recent', 'timed'];

/** Sorted in memory: the rows of one kind below one owner, of which there are a few. */
const siblings = /order by "revoked_at_ms" is null desc, "id" desc limit/;

/** Read whole by the gateway itself, every second or for metrics: what is not done yet, and the targets. */
const unfinished =
  /INDEX (?:deliveries_open|deliveries_stuck|targets_late)$|^SCAN targets USING INDEX targets_listed$/;

test('every query of every client is an index lookup, and every index has a query', async () => {
  const { h, queries } = await queriesOfEverything();
  const db = new Sqlite(join(h.folder, 'gateway.db'), { readonly: true });
  const used = new Set<string>();
  const scans: string[] = [];
  for (const [sql, parameters] of queries) {
    const plan = db.prepare(`explain query plan ${sql}`).all(...parameters) as { detail: string }[];
    for (const { detail } of plan) {
      const index = /USING (?:COVERING )?INDEX (\S+)/.exec(detail)?.[1];
      if (index !== undefined) used.add(index);
      const scanned = /^SCAN (\w+)/.exec(detail)?.[1] ?? 'CONSTANT';
      if (unfinished.test(detail)) continue;
      if (![...made, ...small].includes(scanned)) scans.push(`${detail}: ${sql}`);
      const few = new RegExp(`\\b(?:chain|timed|${small.join('|')})\\b`);
      if (!/TEMP B-TREE/.test(detail) || few.test(sql) || siblings.test(sql)) continue;
      scans.push(`${detail}: ${sql}`);
    }
  }
  expect(queries.size).toBeGreaterThan(25);
  expect(scans).toEqual([]);

  const indexes = db
    .prepare("select name from sqlite_master where type = 'index' and sql is not null")
    .pluck()
    .all() as string[];
  db.close();
  expect(indexes.filter((name) => !used.has(name))).toEqual([]);
});

test('the schema is what the migrations add up to', async () => {
  const h = await openGateway();
  const db = new Sqlite(join(h.folder, 'gateway.db'), { readonly: true });
  const statements = db
    .prepare(
      `select sql from sqlite_master where sql is not null and name not like 'kysely%'
       order by type = 'trigger', type = 'index', name`,
    )
    .pluck()
    .all() as string[];
  db.close();
  await expect(`${statements.join(';\n\n')};\n`).toMatchFileSnapshot('../db/schema.sqlite.sql');
});

test('the files of the database are for their owner alone', async () => {
  const h = await openGateway();
  for (const name of ['gateway.db', 'gateway.db-wal', 'gateway.db-shm', 'secret.key']) {
    expect([name, statSync(join(h.folder, name)).mode & 0o777]).toEqual([name, 0o600]);
  }
});

test('the file is sound, and written ahead', async () => {
  const h = await openGateway();
  const db = new Sqlite(join(h.folder, 'gateway.db'));
  expect(db.pragma('foreign_key_check')).toEqual([]);
  expect(db.pragma('journal_mode', { simple: true })).toBe('wal');
  db.close();
});
