import { expect, test, vi } from 'vitest';
import { type Demo, fillDemo } from '../db/demo.ts';
import { randomSource } from '../db/demo-rows.ts';
import { readConfig } from '../src/config.ts';
import { start } from '../src/start.ts';
import { engine, type Past, past } from './engine.ts';
import { addTokens, codes, postMany, resultOf } from './many.ts';
import { newFolder, serve, settingsIn } from './processes.ts';

/** A gateway that is stopped or killed in the middle: a prefix is revoked, and a repeat does the rest. */

const kind = 'PERSONAL_ACCESS_TOKEN';
/** An engine in another process takes longer for each. */
const COUNT = engine === 'sqlite' ? 4_000 : 800;
const KILLS = 4;

async function fill() {
  const folder = newFolder();
  const settings = { ...settingsIn(folder), LOG_LEVEL: 'warn' };
  const running = await start(readConfig({ ...settings, LOG_LEVEL: 'silent' }));
  const source = randomSource(running.gateway.newId);
  const demo: Demo = await fillDemo(running, { count: 1, source, environments: [] });
  const ids = await addTokens(running, COUNT);
  await running.close();
  return { settings, ids, token: demo.callers.admin, database: await past(folder) };
}

interface Row {
  readonly id: string;
  readonly revocation_id: string | null;
}

/** What each row says, in the order of the ids. */
async function rowsOf(database: Past, ids: readonly string[]) {
  const sql = "select id, revocation_id from revocables where kind = 'personal-access-token'";
  const rows = new Map((await database.all<Row>(sql)).map((row) => [row.id, row.revocation_id]));
  return ids.map((id) => rows.get(id) ?? null);
}

/** How many are revoked: the first of the ids, and each by the one entry that tells of it. */
async function expectPrefix(database: Past, ids: readonly string[]): Promise<number> {
  const rows = await rowsOf(database, ids);
  const count = rows.includes(null) ? rows.indexOf(null) : rows.length;
  expect(rows.slice(count).filter((id) => id !== null)).toEqual([]);
  const done = "select id, target_id from ledger where outcome = 'done' order by seq";
  const entries = await database.all<{ id: string; target_id: string }>(done);
  expect(entries).toEqual(rows.slice(0, count).map((id, i) => ({ id, target_id: ids[i] })));
  return count;
}

const doneIn = async (database: Past) => {
  const [row] = await database.all<{ n: number }>(
    "select count(*) as n from ledger where outcome = 'done'",
  );
  return row?.n ?? 0;
};

/** Resolves once so many are revoked. */
const until = (database: Past, count: number) =>
  vi.waitUntil(async () => (await doneIn(database)) >= count, { interval: 1, timeout: 30_000 });

test(`killed ${KILLS} times: a repeat goes on where it ended`, async () => {
  const { settings, ids, token, database } = await fill();
  let before = 0;
  for (let kills = 0; kills < KILLS; kills++) {
    const served = await serve(settings);
    const bulk = expect(postMany(served.url, token, { kind, ids })).rejects.toThrow();
    await until(database, before + 1 + Math.floor((Math.random() * COUNT) / KILLS / 2));
    served.kill('SIGKILL');
    await bulk;
    await served.ended;
    const count = await expectPrefix(database, ids);
    expect(count).toBeGreaterThan(before);
    expect(count).toBeLessThan(COUNT);
    before = count;
  }
  const { url } = await serve(settings);
  const result = await resultOf(await postMany(url, token, { kind, ids }));
  expect(codes(result)).toEqual(ids.map((_, i) => (i < before ? 'ALREADY_REVOKED' : 'DONE')));
  expect([result.revoked, result.refused]).toEqual([COUNT - before, before]);
  expect(await expectPrefix(database, ids)).toBe(COUNT);
  const others = "select count(*) as n from ledger where refusal <> 'ALREADY_REVOKED'";
  expect(await database.all(others)).toEqual([{ n: 0 }]);
}, 120_000);

test('told to stop, a gateway finishes it first, and answers', async () => {
  const { settings, ids, token, database } = await fill();
  const { url, kill, ended } = await serve(settings);
  const bulk = postMany(url, token, { kind, ids });
  await until(database, 1);
  kill('SIGTERM');
  expect(await doneIn(database)).toBeLessThan(COUNT);
  const result = await resultOf(await bulk);
  expect([result.revoked, result.refused]).toEqual([COUNT, 0]);
  expect(await ended).toMatchObject({ code: 0, signal: null, stderr: '' });
  expect(await expectPrefix(database, ids)).toBe(COUNT);
}, 60_000);

test('told to stop, a gateway finishes it also where the client has left', async () => {
  const { settings, ids, token, database } = await fill();
  const { url, kill, ended, output } = await serve(settings);
  const leaving = new AbortController();
  const bulk = expect(postMany(url, token, { kind, ids }, leaving.signal)).rejects.toThrow();
  await until(database, 1);
  leaving.abort();
  await bulk;
  kill('SIGTERM');
  expect(await doneIn(database)).toBeLessThan(COUNT);
  expect(await ended).toMatchObject({ code: 0, signal: null, stderr: '' });
  expect(output()).not.toContain('"level"');
  expect(await expectPrefix(database, ids)).toBe(COUNT);
}, 60_000);
