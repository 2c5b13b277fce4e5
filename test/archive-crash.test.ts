import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { draftsOf } from '../src/draft.ts';
import { checkArchive } from '../src/retention/archive-file.ts';
import { type Past, past } from './engine.ts';
import {
  type Ended,
  gatewayJson,
  launch,
  newFolder,
  root,
  type Settings,
  settingsIn,
} from './processes.ts';
import { type ArchiveAnswer, addEntries, readArchive } from './retention.ts';

/** `gateway archive` that is killed at any moment: each entry is in the ledger, or in a file that is whole. */

const ENTRIES = 5_000;
const organizations = ['acme', 'globex', 'initech'];

async function withEntries() {
  const folder = newFolder();
  const env = settingsIn(folder);
  for (const slug of organizations) await gatewayJson(env, 'organization', 'create', slug);
  const other = await past(folder);
  for (const slug of organizations.slice(0, 2)) await addEntries(other, slug, ENTRIES / 2);
  return { folder, env, other, file: join(folder, 'archive.jsonl') };
}

/** Archives everything that has happened by now. */
function start(env: Settings, file: string) {
  const args = ['archive', '--before', new Date().toISOString(), '--to', file, '--json'];
  return launch(process.execPath, [join(root, 'bin/gateway.mjs'), ...args], env);
}

const count = async (other: Past, what: string): Promise<number> =>
  (await other.all<{ n: number }>(`select count(*) as n from ${what}`))[0]?.n ?? 0;

/** What is in neither the ledger nor an archive that is whole; deliveries go with their entries. */
async function lost(other: Past, file: string): Promise<number[]> {
  const kept = await other.all<{ seq: number; deliveries: number }>(
    `select seq, (select count(*) from deliveries where deliveries.seq = ledger.seq) as deliveries
     from ledger order by seq`,
  );
  const whole = existsSync(file) ? await checkArchive(file) : undefined;
  const held = whole === undefined ? [] : readArchive(file).entries;
  const found = new Set(
    [
      ...held.filter(({ comment, deliveries }) => comment === null || deliveries.length === 1),
      ...kept.filter(({ seq, deliveries }) => deliveries === 1 || seq <= organizations.length),
    ].map(({ seq }) => seq),
  );
  const all = Array.from({ length: ENTRIES + organizations.length }, (_, i) => i + 1);
  return all.filter((seq) => !found.has(seq));
}

/** Resolves once it is so, or the process has ended. */
async function until(running: ReturnType<typeof start>, isReached: () => Promise<boolean>) {
  let over = false;
  void running.ended.then(() => {
    over = true;
  });
  while (!over && !(await isReached())) await setTimeout(1);
}

/** Moments at which it is killed. */
const moments: ((other: Past, file: string) => Promise<boolean>)[] = [
  async (_other, file) => (await draftsOf(file)).length > 0,
  async (_other, file) => existsSync(file),
  async (other) => (await count(other, 'archives')) > 0,
  async (other) => (await count(other, 'archive_ends')) > 0,
  async (other) => (await count(other, 'deliveries')) < ENTRIES,
  async (other) => (await count(other, 'ledger')) < ENTRIES,
];

test('whenever it is killed, nothing is lost, and the same command finishes it', async () => {
  const { env, other, file } = await withEntries();
  let ended: Ended | undefined;
  let kills = 0;
  for (const isReached of moments) {
    const wasReached = await isReached(other, file);
    const running = start(env, file);
    // What an earlier one has reached already, this one is killed beyond.
    if (wasReached) await setTimeout(500 + Math.random() * 1_000);
    await until(running, () => isReached(other, file));
    await setTimeout(Math.random() * 10);
    running.child.kill('SIGKILL');
    ended = await running.ended;
    if (ended.signal === 'SIGKILL') kills++;
    expect(await lost(other, file)).toEqual([]);
    if (ended.code === 0) break;
  }
  expect(kills).toBeGreaterThan(2);
  if (ended?.code !== 0) ended = await start(env, file).ended;
  expect(ended).toMatchObject({ code: 0 });
  const { archived } = JSON.parse(ended.stdout) as ArchiveAnswer;

  expect(await lost(other, file)).toEqual([]);
  expect(await draftsOf(file)).toEqual([]);
  const { entries, trailer } = readArchive(file);
  const lastSeq = ENTRIES + organizations.length - 1;
  expect(trailer).toMatchObject({ lastSeq, digest: archived?.digest });
  expect(entries.map(({ seq }) => seq)).toEqual(Array.from({ length: lastSeq }, (_, i) => i + 1));
  expect(await count(other, `ledger where seq <= ${lastSeq}`)).toBe(0);
  expect(await count(other, `deliveries where seq <= ${lastSeq}`)).toBe(0);
  expect(await count(other, 'archives where removed_at_ms is not null')).toBe(1);
  // Each organization is told once, and numbers go on.
  const told = await other.all<{ seq: number; target: string }>(
    "select seq, target from ledger where action = 'archive' order by seq",
  );
  expect(told.map(({ seq }) => seq)).toEqual([1, 2, 3].map((n) => lastSeq + 1 + n));
  expect(told.map(({ target }) => target).toSorted()).toEqual(
    [`1-${ENTRIES / 2 + 3}`, `2-${lastSeq}`, '3-3'].toSorted(),
  );
}, 180_000);

test('what was killed before it was recorded is taken up, also under another name', async () => {
  const { env, other, file } = await withEntries();
  const killed = start(env, file);
  await until(killed, async () => existsSync(file));
  killed.child.kill('SIGKILL');
  await killed.ended;
  if ((await count(other, 'archives')) === 0) {
    // The file is whole, and nobody knows of it: under another name there is a second one.
    const { code, stdout } = await start(env, `${file}.2`).ended;
    expect([code, JSON.parse(stdout).archived.firstSeq]).toEqual([0, 1]);
    rmSync(file);
  } else {
    const { code, stdout } = await start(env, `${file}.2`).ended;
    const { finished, archived } = JSON.parse(stdout) as ArchiveAnswer;
    expect([code, finished]).toEqual([0, { file, lastSeq: ENTRIES + organizations.length - 1 }]);
    expect(archived?.firstSeq).toBe((finished?.lastSeq ?? 0) + 1);
  }
  expect(await count(other, 'archives where removed_at_ms is null')).toBe(0);
}, 180_000);

test('a signal stops it between two transactions, and it says what to do', async () => {
  const { env, other, file } = await withEntries();
  const running = start(env, file);
  await until(running, async () => (await count(other, 'deliveries')) < ENTRIES);
  running.child.kill('SIGINT');
  const { code, stderr } = await running.ended;
  expect([code, stderr]).toEqual([1, expect.stringContaining('the same command, run again')]);
  expect(await count(other, 'ledger')).toBeGreaterThan(ENTRIES);
  expect(await lost(other, file)).toEqual([]);
  expect(await start(env, file).ended).toMatchObject({ code: 0 });
  expect(await count(other, 'ledger')).toBe(1 + organizations.length);
}, 180_000);

test('one that is stopped while it writes leaves nothing behind', async () => {
  const { env, other, file } = await withEntries();
  const running = start(env, file);
  await until(running, async () => (await draftsOf(file)).length > 0);
  running.child.kill('SIGTERM');
  const { code } = await running.ended;
  if (code === 1) expect([await draftsOf(file), existsSync(file)]).toEqual([[], false]);
  expect(await lost(other, file)).toEqual([]);
}, 180_000);
