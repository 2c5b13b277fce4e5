import { statSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { isObjectType } from 'graphql';
import { expect, test } from 'vitest';
import { credentials } from '../src/credentials/kinds.ts';
import { migrate } from '../src/database.ts';
import { buildSchema } from '../src/graphql/schema.ts';
import { everything, queriesOfEverything } from './every-query.ts';
import { openGateway } from './harness.ts';

/** Read whole at times: it has a row for each signing key, of which there are a few. */
const small = ['signing_keys'];

/** Read whole by the gateway itself, every second: they hold only what is not done yet. */
const unfinished = /INDEX (?:deliveries_open|targets_late)$/;

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
      // The rows that a query has itself just made are no table.
      const scanned = /^SCAN (\w+)/.exec(detail)?.[1];
      const made = ['chain', 'page', 'behind', 'CONSTANT', ...small];
      if (unfinished.test(detail)) continue;
      if (scanned !== undefined && !made.includes(scanned)) scans.push(`${detail}: ${sql}`);
      const few = new RegExp(`\\b(?:chain|${small.join('|')})\\b`);
      if (/TEMP B-TREE/.test(detail) && !few.test(sql)) scans.push(`${detail}: ${sql}`);
    }
  }
  expect(queries.size).toBeGreaterThan(25);
  expect(scans).toEqual([]);

  const made = db
    .prepare("select name from sqlite_master where type = 'index' and sql is not null")
    .pluck()
    .all() as string[];
  db.close();
  expect(made.filter((name) => !used.has(name))).toEqual([]);
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
  expect(await migrate(h.running.database.writer)).toEqual([]);
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

test('nothing is read twice: lists of lists take a query for each level', async () => {
  const counts: number[] = [];
  for (const count of [2, 20]) {
    let queries = 0;
    let counting = false;
    const log = () => {
      if (counting) queries++;
    };
    const h = await openGateway({ count, log });
    counting = true;
    const { data, errors } = await h.graphql<{ me: { identities: { edges: object[] } } }>(
      `{ me { identities(first: 50) { edges { node { id
        jwtAuths { edges { node { jwksUrl boundIssuer accessTokens { edges { node { id } } } } } }
        tokenAuths { edges { node { accessTokens { edges { node { id } } } } } }
      } } } } }`,
      {},
      h.demo.callers.admin,
    );
    expect(errors).toBeUndefined();
    expect(data.me.identities.edges).toHaveLength(2 * count + 1);
    counts.push(queries);
  }
  // The caller, identities, JWT Auths, Token Auths, JWT Auths' details, both kinds' tokens.
  expect(counts[0]).toBeLessThanOrEqual(7);
  expect(counts[1]).toBe(counts[0]);
});
