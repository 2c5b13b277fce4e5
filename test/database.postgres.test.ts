import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { isPrepared } from '../src/database/prepare.ts';
import { past } from './engine.ts';
import { queriesOfEverything } from './every-query.ts';
import { openGateway } from './harness.ts';

interface Plan {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Name'?: string;
  'Index Cond'?: string;
  Plans?: Plan[];
}

/** All but what only the first row is taken of, as the greatest number is. */
const nodesOf = (plan: Plan): Plan[] => [
  plan,
  ...(plan['Node Type'] === 'Limit' ? [] : (plan.Plans ?? [])).flatMap(nodesOf),
];

/** Read whole at times: it has a row for each signing key, of which there are a few. */
const small = /^signing_keys/;

/** Read whole by the gateway itself, every second or for metrics: what is not done yet, and the targets. */
const unfinished =
  /^(?:deliveries_open|deliveries_stuck|targets_late|targets_listed|targets_subscribers)$/;

/** Have a row for each credential, or as many, in the order in which they refer to each other. */
const many = [
  'revocables',
  'auth_methods',
  'jwt_auths',
  'access_tokens',
  'jwks',
  'jwk_assignments',
  'oauth_clients',
  'targets',
];

test('every query of every client is an index lookup', async () => {
  const { h, queries } = await queriesOfEverything();
  const other = await past(h.folder);
  // Where there are few rows every index is as good as the right one.
  for (const table of many) {
    const copy = ['id', 'slug', 'name', 'secret_hash'].map(
      (it) => `'${it}', to_jsonb(t)->>'${it}' || i`,
    );
    await other.all(
      `insert into ${table} select (jsonb_populate_record(t,
         jsonb_strip_nulls(jsonb_build_object(${copy})))).* from ${table} t, generate_series(1, 40) i
       where coalesce(to_jsonb(t)->>'kind', '') != 'organization'`,
    );
  }
  // The server counts rows at moments of its own: what it last saw may be empty tables.
  await other.all('vacuum analyze');
  for (const how of ['seqscan', 'hashjoin', 'mergejoin', 'bitmapscan']) {
    await other.all(`set enable_${how} = off`);
  }
  const scans: string[] = [];
  for (const [text] of queries) {
    if (!/^(?:select|with|insert|update|delete)/.test(text)) continue;
    const [row] = await other.all<{ 'QUERY PLAN': [{ Plan: Plan }] }>(
      `explain (format json, generic_plan) ${text}`,
    );
    for (const node of nodesOf(row?.['QUERY PLAN'][0].Plan as Plan)) {
      const { 'Node Type': type, 'Relation Name': table = '', 'Index Name': index = '' } = node;
      if (small.test(table) || unfinished.test(index)) continue;
      const lookup = node['Index Cond'] !== undefined;
      if (type === 'Seq Scan' || (/Index/.test(type) && !lookup))
        scans.push(`${table} ${type} ${index}: ${text}`);
    }
  }
  expect(queries.size).toBeGreaterThan(25);
  expect(scans).toEqual([]);
});

test('the server keeps prepared what the code has, and nothing that clients can vary', async () => {
  const { h } = await queriesOfEverything();
  const kept = sql<{ statement: string }>`select statement from pg_prepared_statements`;
  // Many at once, so that each connection answers.
  const asked = Array.from({ length: 30 }, () => kept.execute(h.running.database.reader));
  const statements = (await Promise.all(asked)).flatMap(({ rows }) => rows);
  expect(statements.length).toBeGreaterThan(0);
  expect(statements.filter(({ statement }) => !isPrepared(statement))).toEqual([]);
});

test('the schema is what the migrations add up to', async () => {
  const h = await openGateway();
  const other = await past(h.folder);
  const lines = await other.all<{ line: string }>(`
    select line from (
      select 1 as part, relname || '.' || lpad(attnum::text, 3) as place,
        format('%s.%s %s%s%s', relname, attname, format_type(atttypid, atttypmod),
          case when attnotnull then ' not null' end,
          (select ' default ' || pg_get_expr(adbin, adrelid) from pg_attrdef
           where adrelid = attrelid and adnum = attnum)) as line
      from pg_attribute join pg_class on pg_class.oid = attrelid
      where relnamespace = 'public'::regnamespace and relkind = 'r' and attnum > 0
      union all
      select 2, conrelid::regclass || conname,
        format('%s.%s %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
      from pg_constraint where connamespace = 'public'::regnamespace and contype <> 'n'
      union all
      select 3, indexname, indexdef from pg_indexes where schemaname = 'public'
      union all
      select 4, proname, pg_get_functiondef(oid) from pg_proc
      where pronamespace = 'public'::regnamespace
      union all
      select 5, tgname, pg_get_triggerdef(oid) from pg_trigger where not tgisinternal
    ) as parts
    where line !~ '^(?:kysely|CREATE.* kysely)'
    order by part, place`);
  const text = lines.map(({ line }) => line.trimEnd()).join('\n');
  await expect(`${text}\n`).toMatchFileSnapshot('../db/schema.postgres.sql');
});
