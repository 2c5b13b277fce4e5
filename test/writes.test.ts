import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import type { Transaction } from 'kysely';
import { expect, onTestFinished, test } from 'vitest';
import type { Tables } from '../db/tables.ts';
import { type Database, openDatabase } from '../src/database/database.ts';
import { migrate } from '../src/database/migrate.ts';
import { createWrites } from '../src/writes.ts';

/** The commit queue: order, isolation of faults, and no answer before the commit. */

async function openWrites(url = 'file') {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-test-'));
  const commits: string[] = [];
  const database = openDatabase(url === 'file' ? `sqlite:${join(folder, 'gateway.db')}` : url, {
    log: ({ query }) => {
      if (/^(begin|commit|rollback)/.test(query.sql)) commits.push(query.sql);
    },
  });
  await migrate(database);
  onTestFinished(async () => {
    await database.close();
    rmSync(folder, { recursive: true });
  });
  const file = join(folder, 'gateway.db');
  return { database, writes: createWrites(database), commits, file };
}

const insertKey = (kid: string) => async (tx: Transaction<Tables>) => {
  await tx
    .insertInto('signing_keys')
    .values({ kid, public_jwk: '{}', private_jwe: '', created_at_ms: 1, retired_at_ms: null })
    .execute();
  return kid;
};

const kids = async (database: Pick<Database, 'reader'>) =>
  (await database.reader.selectFrom('signing_keys').select('kid').execute()).map(({ kid }) => kid);

test.each(['file', 'sqlite::memory:'])('jobs of one turn share a commit (%s)', async (url) => {
  const { database, writes, commits } = await openWrites(url);
  commits.length = 0;
  const all = Array.from({ length: 100 }, (_, i) => `key-${i}`);
  expect(await Promise.all(all.map((kid) => writes.run(insertKey(kid))))).toEqual(all);
  expect((await kids(database)).toSorted()).toEqual(all.toSorted());
  expect(commits.filter((sql) => sql === 'commit').length).toBeLessThan(10);
});

test('a job that throws leaves nothing behind and harms no other', async () => {
  const { database, writes } = await openWrites();
  const results = await Promise.allSettled([
    writes.run(insertKey('before')),
    writes.run(async (tx) => {
      await insertKey('lost')(tx);
      throw new Error('after its first statement');
    }),
    writes.run(insertKey('before')),
    writes.run(insertKey('after')),
  ]);
  expect(results.map(({ status }) => status)).toEqual([
    'fulfilled',
    'rejected',
    'rejected',
    'fulfilled',
  ]);
  expect((await kids(database)).toSorted()).toEqual(['after', 'before']);
});

test('what is answered is already visible to every other connection', async () => {
  const { writes, file } = await openWrites();
  const other = new Sqlite(file, { readonly: true });
  onTestFinished(() => {
    other.close();
  });
  const seen = other.prepare('select count(*) from signing_keys').pluck();
  await Promise.all(
    Array.from({ length: 50 }, async (_, i) => {
      await writes.run(insertKey(`key-${i}`));
      expect(seen.get()).toBeGreaterThan(i);
    }),
  );
});

test('a commit that fails answers none of its jobs with success, and the next one works', async () => {
  const { database, writes, file } = await openWrites();
  const other = new Sqlite(file);
  other.exec(`create trigger deny before insert on signing_keys
    when new.kid = 'fatal' begin select raise(rollback, 'the whole transaction'); end`);
  other.close();
  const results = await Promise.allSettled(
    ['one', 'fatal', 'two'].map((kid) => writes.run(insertKey(kid))),
  );
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
  expect(await kids(database)).toEqual([]);
  expect(await writes.run(insertKey('later'))).toBe('later');
});

test('another process that writes is waited for', async () => {
  const { writes, file } = await openWrites();
  const other = new Sqlite(file);
  other.exec('begin immediate');
  const pending = writes.run(insertKey('patient'));
  other.exec('commit');
  other.close();
  expect(await pending).toBe('patient');
});

test('draining waits for every job', async () => {
  const { database, writes } = await openWrites();
  const jobs = Array.from({ length: 600 }, (_, i) => writes.run(insertKey(`key-${i}`)));
  await writes.drained();
  expect(await kids(database)).toHaveLength(600);
  await Promise.all(jobs);
});
