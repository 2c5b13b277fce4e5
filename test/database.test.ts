import { statSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import type { LogEvent } from 'kysely';
import { expect, test } from 'vitest';
import { credentials } from '../src/credentials/kinds.ts';
import { migrate } from '../src/database.ts';
import { type Harness, openGateway } from './harness.ts';
import { makeTarget, mutationOf, restPath, unknownInput } from './kinds.ts';

/** Lists and single items of everything that the graph shows. */
const everything = `query ($id: ID!, $after: String, $ledgerAfter: String) { me {
  node(id: $id) { id }
  revocation(id: $id) { id }
  revocations(first: 2, after: $after) { edges { node { id revocable { id } } } }
  ledger(first: 2, after: $ledgerAfter) { edges { node { id } } }
  identities(first: 2, after: $after) { edges { node {
    jwtAuths { edges { node { jwksUrl accessTokens(last: 1) { edges { node { id } } } } } }
    tokenAuths { edges { node { accessTokens(first: 1) { edges { node { id } } } } } }
  } } }
  applications { edges { node { apiKeys { edges { node { id } } } } } }
  serviceAccounts { edges { node { tokens { edges { node { id } } } } } }
  projects { edges { node {
    jwks { edges { node { id } } }
    credentials { edges { node { jwkValidations { edges { node { id } } } } } }
  } } }
  personalAccessTokens { edges { node { id } } }
  accessTokens { edges { node { id } } }
} }`;

/** Every query that clients can cause, with the parameters of one of its runs. */
async function queriesOfEverything(): Promise<{ h: Harness; queries: Map<string, unknown[]> }> {
  const queries = new Map<string, unknown[]>();
  let recording = false;
  const log = (event: LogEvent) => {
    if (recording && !/^(begin|commit|rollback|release|savepoint)/.test(event.query.sql)) {
      queries.set(event.query.sql, [...event.query.parameters]);
    }
  };
  const receiver = { name: 'production', url: 'http://127.0.0.1:9/' };
  const h = await openGateway({ log, environments: [receiver] });
  const { projectName = '', username = '' } = h.demo.jwkValidation[0] ?? {};

  const inputs = new Map<string, Record<string, string>>();
  for (const { graph } of credentials) {
    inputs.set(graph.kind, (await makeTarget(h, graph.kind, 'acme')).input);
  }
  inputs.set('jwk-validation', { projectName, username });

  recording = true;
  for (const credential of credentials) {
    const input = inputs.get(credential.graph.kind) ?? {};
    for (const given of [input, input, unknownInput(input)]) {
      await h.graphql(mutationOf(credential), { input: given }, h.demo.callers.admin);
    }
    if (credential.rest !== undefined) {
      await h.rest(credential.rest.method, restPath(credential, input), h.demo.callers.admin);
    }
  }
  const id = h.demo.accessToken[0]?.tokenId;
  for (const after of [undefined, id]) {
    const variables = { id, after, ledgerAfter: after && '3' };
    const { errors } = await h.graphql(everything, variables, h.demo.callers.admin);
    expect(errors).toBeUndefined();
  }
  await h.graphql(
    `mutation { createOrganization(input: { slug: "initech" }) { __typename }
      createPersonalAccessToken(input: { name: "x", permissions: ["ledger:read"] }) { __typename } }`,
    {},
    h.demo.callers.admin,
  );
  await h.rest('GET', '/health/ready');
  recording = false;
  return { h, queries };
}

/** Read whole at times: it has a row for each signing key, of which there are a few. */
const small = ['signing_keys'];

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
      const made = ['chain', 'page', 'CONSTANT', ...small];
      if (scanned !== undefined && !made.includes(scanned)) scans.push(`${detail}: ${sql}`);
      if (/TEMP B-TREE/.test(detail) && !/\bchain\b/.test(sql)) scans.push(`${detail}: ${sql}`);
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
