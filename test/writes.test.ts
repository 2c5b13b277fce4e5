import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Transaction } from 'kysely';
import { expect, onTestFinished, test } from 'vitest';
import type { Tables } from '../db/tables.ts';
import { type Database, openDatabase } from '../src/database/database.ts';
import { migrate } from '../src/database/migrate.ts';
import { createWrites } from '../src/writes.ts';
import { databaseIn, engine, past } from './engine.ts';

/** The commit queue: order, isolation of faults, and no answer before the commit. */

async function openWrites(url?: string, options: { turns?: boolean } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-test-'));
  const commits: string[] = [];
  const database = await openDatabase(url ?? databaseIn(folder), {
    ...options,
    log: ({ query }) => {
      if (/^(begin|commit|rollback)/.test(query.sql)) commits.push(query.sql);
    },
  });
  await migrate(database);
  onTestFinished(async () => {
    await database.close();
    rmSync(folder, { recursive: true });
  });
  return { database, writes: createWrites(database), commits, folder };
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

const inMemory = engine === 'sqlite' ? ['sqlite::memory:'] : [];

test.each([undefined, ...inMemory])('jobs of one turn share a commit (%s)', async (url) => {
  const { database, writes, commits } = await openWrites(url);
  commits.length = 0;
  const all = Array.from({ length: 100 }, (_, i) => `key-${i}`);
  expect(await Promise.all(all.map((kid) => writes.run(insertKey(kid))))).toEqual(all);
  expect((await kids(database)).toSorted()).toEqual(all.toSorted());
  const count = commits.filter((sql) => sql === 'commit').length;
  expect(count).toBeGreaterThan(0);
  // As many as there is time for.
  expect(count).toBeLessThan(30);
});

test.each(inMemory)('nobody sees what is not committed (%s)', async (url) => {
  const { database, writes } = await openWrites(url);
  const seen: string[][] = [];
  const looking = writes.run(async (tx) => {
    await insertKey('early')(tx);
    seen.push(['asked']);
    void kids(database).then((all) => seen.push(all));
    await insertKey('late')(tx);
    seen.push(['done']);
  });
  await looking;
  await kids(database);
  expect(seen).toEqual([['asked'], ['done'], ['early', 'late']]);
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
  const { writes, folder } = await openWrites();
  const other = await past(folder);
  await Promise.all(
    Array.from({ length: 50 }, async (_, i) => {
      await writes.run(insertKey(`key-${i}`));
      const seen = await other.all('select kid from signing_keys where kid = ?', `key-${i}`);
      expect(seen).toHaveLength(1);
    }),
  );
});

/** Lets a commit that has the key `fatal` fail. */
const denying = {
  sqlite: `create trigger deny before insert on signing_keys
    when new.kid = 'fatal' begin select raise(rollback, 'the whole transaction'); end`,
  postgres: `create function deny() returns trigger language plpgsql as
    $$ begin raise exception 'the whole transaction'; end $$;
    create constraint trigger deny after insert on signing_keys deferrable initially deferred
    for each row when (new.kid = 'fatal') execute function deny()`,
};

test('a commit that fails answers none of its jobs with success, and the next one works', async () => {
  const { database, writes, folder } = await openWrites();
  const other = await past(folder);
  await other.all(denying[engine]);
  const results = await Promise.allSettled(
    ['one', 'fatal', 'two'].map((kid) => writes.run(insertKey(kid))),
  );
  const done = results.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
  expect(results[1]?.status).toBe('rejected');
  expect((await kids(database)).toSorted()).toEqual(done.toSorted());
  expect(await writes.run(insertKey('later'))).toBe('later');
  await other.all(`drop trigger deny ${engine === 'postgres' ? 'on signing_keys' : ''}`);
});

const held = {
  sqlite: 'begin immediate',
  postgres: 'begin; lock table write_turns in exclusive mode',
};

test('another process that writes is waited for', async () => {
  const { writes, folder } = await openWrites();
  const other = await past(folder);
  await other.all(held[engine]);
  let answered = false;
  const pending = writes.run(insertKey('patient')).then((kid) => {
    answered = true;
    return kid;
  });
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(answered).toBe(false);
  await other.all('commit');
  expect(await pending).toBe('patient');
});

test('draining waits for every job', async () => {
  const { database, writes } = await openWrites();
  const jobs = Array.from({ length: 600 }, (_, i) => writes.run(insertKey(`key-${i}`)));
  await writes.drained();
  expect(await kids(database)).toHaveLength(600);
  await Promise.all(jobs);
});
