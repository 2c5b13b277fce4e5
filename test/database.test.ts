import { statSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { isObjectType } from 'graphql';
import { expect, test } from 'vitest';
import { credentials } from '../src/credentials/kinds.ts';
import { migrate } from '../src/database/migrate.ts';
import { buildSchema } from '../src/graphql/schema.ts';
import { everything, queriesOfEverything } from './every-query.ts';
import { openGateway } from './harness.ts';

/** Read whole at times: it has a row for each signing key, of which there are a few. */
const small = ['signing_keys'];

/** What a query has itself just made: as many rows as it read by an index, or a bounded number. */
const made = ['chain', 'page', 'CONSTANT', 'behind', 'owed', 'recent', 'timed'];

/** Read whole by the gateway itself, every second: what is not done yet, and the targets there are. */
const unfinished =
  /INDEX (?:deliveries_open|targets_late)$|^SCAN targets USING INDEX targets_listed$/;

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
      if (/TEMP B-TREE/.test(detail) && !few.test(sql)) scans.push(`${detail}: ${sql}`);
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

test('the query for everything asks for every list', () => {
  const types = Object.values(buildSchema(credentials).getTypeMap()).filter(isObjectType);
  const lists = types.flatMap((type) =>
    Object.values(type.getFields())
      .filter((field) => /Connection!?$/.test(String(field.type)))
      .map((field) => field.name),
  );
  expect(lists.length).toBeGreaterThan(15);
  expect(lists.filter((name) => !new RegExp(`\\b${name}\\b`).test(everything))).toEqual([]);
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

test('migrating twice does nothing the second time', async () => {
  const h = await openGateway();
  expect(await migrate(h.running.database)).toEqual([]);
});

test('the database holds to its references and to its own rules', async () => {
  const h = await openGateway();
  const db = new Sqlite(join(h.folder, 'gateway.db'));
  db.pragma('foreign_keys = ON');
  const insert = (columns: string, values: string) => () =>
    db.exec(
      `insert into revocables (id, kind, issued_at_ms, ${columns}) values ('x', 'y', 1, ${values})`,
    );
  expect(insert('organization_id, parent_id', "'nobody', 'nobody'")).toThrow('FOREIGN KEY');
  expect(insert('organization_id', "'nobody'")).toThrow('CHECK constraint failed: root');
  expect(() => db.exec("delete from revocables where kind = 'application'")).toThrow('FOREIGN KEY');
  expect(db.pragma('foreign_key_check')).toEqual([]);
  expect(db.pragma('journal_mode', { simple: true })).toBe('wal');
  db.close();
});

test.each<[string, number, string]>([
  [
    // The caller, identities, JWT Auths, Token Auths, JWT Auths' details, both kinds' tokens.
    'identities',
    7,
    `identities(first: 50) { edges { node { id
      jwtAuths { edges { node { jwksUrl boundIssuer accessTokens { edges { node { id } } } } } }
      tokenAuths { edges { node { accessTokens { edges { node { id } } } } } }
    } } }`,
  ],
  [
    // The caller, targets, what is open and what is stuck, the stuck, times.
    'targets',
    6,
    `targets(first: 50) { edges { node { id state pending stuck lastError
      stuckDeliveries { edges { node { revocationId } } } timeToEffect { p99Ms }
    } } }`,
  ],
])('nothing is read twice: lists of %s take a query for each level', async (list, most, asked) => {
  const counts: number[] = [];
  for (const count of [2, 20]) {
    let queries = 0;
    let counting = false;
    const log = () => {
      if (counting) queries++;
    };
    const environments = [{ name: 'production', url: 'http://127.0.0.1:8/' }];
    const h = await openGateway({ count, log, environments });
    // It reads by itself from time to time.
    await h.running.gateway.delivery.stop();
    counting = true;
    const { data, errors } = await h.graphql<{ me: { [list: string]: { edges: object[] } } }>(
      `{ me { ${asked} } }`,
      {},
      h.demo.callers.admin,
    );
    expect(errors).toBeUndefined();
    expect(data.me[list]?.edges.length).toBeGreaterThan(count);
    counts.push(queries);
  }
  expect(counts[0]).toBeLessThanOrEqual(most);
  expect(counts[1]).toBe(counts[0]);
});
