import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isObjectType } from 'graphql';
import { expect, onTestFinished, test } from 'vitest';
import { credentials } from '../src/credentials/kinds.ts';
import { openDatabase } from '../src/database/database.ts';
import { migrate } from '../src/database/migrate.ts';
import { buildSchema } from '../src/graphql/schema.ts';
import { emptyDatabaseIn, past } from './engine.ts';
import { everything } from './every-query.ts';
import { openGateway } from './harness.ts';

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

test('migrating twice does nothing the second time', async () => {
  const h = await openGateway();
  expect(await migrate(h.running.database)).toEqual([]);
});

test('the database holds to its references and to its own rules', async () => {
  const h = await openGateway();
  const other = await past(h.folder);
  const insert = (columns: string, values: string) =>
    other.all(
      `insert into revocables (id, kind, issued_at_ms, ${columns}) values ('x', 'y', 1, ${values})`,
    );
  await expect(insert('organization_id, parent_id', "'nobody', 'nobody'")).rejects.toThrow(
    /foreign key/i,
  );
  await expect(insert('organization_id', "'nobody'")).rejects.toThrow(
    /check constraint.*\broot\b/i,
  );
  await expect(other.all("delete from revocables where kind = 'application'")).rejects.toThrow(
    /foreign key/i,
  );
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

test('a migration that fails leaves nothing of those before it, so that it can be run again', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-test-'));
  const url = emptyDatabaseIn(folder);
  const other = await past(folder);
  await other.all('create table cut_offs (id integer)');
  const database = await openDatabase(url);
  onTestFinished(async () => {
    await database.close();
    rmSync(folder, { recursive: true });
  });
  await expect(migrate(database)).rejects.toThrow('cannot be brought up to date');
  const tables = (await database.reader.introspection.getTables()).map(({ name }) => name);
  expect(tables).toEqual(['cut_offs']);
  await other.all('drop table cut_offs');
  expect(await migrate(database)).toContain('0001_gateway');
});
