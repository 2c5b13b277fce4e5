import { once } from 'node:events';
import { copyFileSync, existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { openSqlite } from '../src/database/sqlite.ts';
import { draftsOf } from '../src/draft.ts';
import { backUp, damage, fatten, filled, lookInto, type Restored, restoreFrom } from './backups.ts';
import { rotate } from './keys.ts';
import { gateway, gatewayJson, launch, newFolder, root, serve } from './processes.ts';

/** `gateway restore`: the backup or what was there, and never anything between. */

const organization = (env: Record<string, string>, slug: string) =>
  gatewayJson(env, 'organization', 'create', slug);

const lastSeqOf = (file: string) =>
  lookInto(file, (db) => db.prepare('select max(seq) from ledger').pluck().get());

/** A database that has gone on since its backup. */
async function backedUp() {
  const given = await filled();
  await organization(given.env, 'initech');
  await backUp(given.env, given.at('backup.db'));
  await organization(given.env, 'umbrella');
  return given;
}

test('the backup takes the place of the database, which is kept beside it', async () => {
  const { env, file, at, folder } = await backedUp();
  const before = statSync(file).ino;
  const restored = await restoreFrom(env, at('backup.db'));
  expect(restored).toEqual({
    ...{ file, lastSeq: 1, lastAt: expect.stringMatching(/Z$/), keptAs: expect.any(String) },
    missing: { entries: 1, revocations: 0, unreadArchives: [], revivedKeys: [] },
  });
  const { keptAs } = restored as Restored & { keptAs: string };
  expect(keptAs).toMatch(/gateway\.db\.before-restore-\d{8}T\d{9}Z$/);
  expect(statSync(keptAs).ino).toBe(before);
  expect([lastSeqOf(file), lastSeqOf(keptAs)]).toEqual([1, 2]);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(await draftsOf(file)).toEqual([]);
  expect(existsSync(at('backup.db'))).toBe(true);
  // It is served, and goes on.
  const served = await serve(env);
  await organization(env, 'hooli');
  served.kill('SIGTERM');
  await served.ended;
  expect(lastSeqOf(file)).toBe(2);
  expect(readdirSync(folder).filter((name) => /-(?:wal|shm|journal)$/.test(name))).toEqual([]);

  const { stdout } = await gateway(env, 'restore', '--from', at('backup.db'));
  expect(stdout).toMatch(/^.*gateway\.db is what .*backup\.db has: entries .* up to 1\.\n/);
  expect(stdout).toMatch(/^What was there is kept as .*before-restore-.*\.$/m);
  expect(stdout).toContain('It had 1 entries more. Revocations among them, which count no more: 0');
});

test('a gateway that waits meanwhile to open what was there does not serve it', async () => {
  const { file, at } = await backedUp();
  copyFileSync(file, at('other.db'));
  const turn = new Int32Array(new SharedArrayBuffer(4));
  const holder = new Worker(holding, {
    eval: true,
    workerData: { turn, file, other: at('other.db') },
  });
  await once(holder, 'message');
  Atomics.store(turn, 0, 1);
  Atomics.notify(turn, 0);
  // Waits for whoever holds it, while that puts another file in its place. SQLite itself notices.
  expect(() => openSqlite(`sqlite:${file}`, {})).toThrow(/cannot be opened/);
  await once(holder, 'exit');
  expect(lookInto(file, (db) => db.pragma('integrity_check', { simple: true }))).toBe('ok');
});

/** Holds a database until it is about to be opened, and replaces it then. */
const holding = `
  const { workerData: { turn, file, other }, parentPort } = require('node:worker_threads');
  const { renameSync } = require('node:fs');
  const Sqlite = require('better-sqlite3');
  const db = new Sqlite(file);
  db.pragma('locking_mode = exclusive');
  db.pragma('journal_mode = delete');
  parentPort.postMessage('held');
  Atomics.wait(turn, 0, 0);
  Atomics.wait(turn, 0, 1, 500);
  renameSync(other, file);
  db.close();
`;

test('where there is no database, the backup becomes it', async () => {
  const { env, at } = await backedUp();
  const folder = newFolder();
  const elsewhere = { ...env, DATABASE_URL: `sqlite:${folder}/moved.db` };
  const restored = await restoreFrom(elsewhere, at('backup.db'));
  expect(restored).toMatchObject({ keptAs: null, missing: null, lastSeq: 1 });
  expect(readdirSync(folder)).toEqual(['moved.db']);
});

test('while a gateway serves the database, it is left alone', async () => {
  const { env, file, at, folder } = await backedUp();
  const served = await serve(env);
  const { code, stderr } = await gateway(env, 'restore', '--from', at('backup.db'));
  expect([code, stderr]).toEqual([
    1,
    `Another process has ${file} open: stop every gateway, and whatever would start one again.\n`,
  ]);
  await organization(env, 'hooli');
  served.kill('SIGTERM');
  await served.ended;
  expect(lastSeqOf(file)).toBe(3);
  expect(readdirSync(folder).filter((name) => name.includes('before-restore'))).toEqual([]);
  expect(await draftsOf(file)).toEqual([]);
});

type Given = Awaited<ReturnType<typeof backedUp>>;

/** What is done to a backup; another file than it, where one is to be restored. */
const unfit: [string, RegExp, (given: Given) => unknown][] = [
  ['is not there', /There is no file/, ({ at }) => rmSync(at('backup.db'))],
  ['is the database itself', /is the database itself/, ({ file }) => file],
  ['is empty', /is no database of a/, ({ at }) => writeFileSync(at('backup.db'), '')],
  ['is a text', /is no database of a/, ({ at }) => writeFileSync(at('backup.db'), 'x'.repeat(9e3))],
  [
    'is damaged',
    /is no database of a gateway that is whole/,
    ({ at }) => {
      const page = lookInto(at('backup.db'), (db) =>
        db.prepare("select rootpage from sqlite_schema where name = 'revocables'").pluck().get(),
      );
      damage(at('backup.db'), (Number(page) - 1) * 4096 + 4);
    },
  ],
  [
    'was copied while it was open',
    /backup\.db-wal lies beside it/,
    ({ at }) => writeFileSync(at('backup.db-wal'), ''),
  ],
  [
    'was made by a newer gateway',
    /was made by a newer gateway/,
    ({ at }) => {
      const later = "insert into kysely_migration (name, timestamp) values ('9999_later', '')";
      lookInto(at('backup.db'), (db) => db.exec(later));
    },
  ],
  [
    'has another secret key',
    /does not open what lies in .*backup\.db/,
    ({ env, at }) => {
      env.SECRET_KEY_FILE = at('other.key');
      writeFileSync(at('other.key'), `${'A'.repeat(43)}\n`);
    },
  ],
  [
    'has its secret key nowhere',
    /SECRET_KEY_FILE .*none\.key can neither be read/,
    ({ env, at }) => {
      env.SECRET_KEY_FILE = at('none.key');
    },
  ],
];

test.each(unfit)('a backup that %s is not restored', async (_what, words, arrange) => {
  const given = await backedUp();
  const { file, folder } = given;
  const other = arrange(given);
  const from = typeof other === 'string' ? other : given.at('backup.db');
  const { code, stdout, stderr } = await gateway(given.env, 'restore', '--from', from);
  expect([code, stdout, stderr]).toEqual([1, '', expect.stringMatching(words)]);
  expect(stderr).not.toMatch(/^\s+at /m);
  expect(lastSeqOf(file)).toBe(2);
  expect(readdirSync(folder).filter((name) => name.includes('before-restore'))).toEqual([]);
  expect(await draftsOf(file)).toEqual([]);
  expect(existsSync(given.at('none.key'))).toBe(false);
});

test.each<[string, string, string[], RegExp]>([
  ['no backup', 'sqlite:none.db', [], /^Say with --from which backup to restore\.\n$/],
  [
    'PostgreSQL',
    'postgres://gateway:secret@127.0.0.1/gateway',
    ['--from', 'backup.db'],
    /stop every gateway, and run\n {2}pg_restore --clean .*"\$DATABASE_URL" FILE/,
  ],
  ['memory', 'sqlite::memory:', ['--from', 'backup.db'], /there is no file/],
  [
    'another database that is not there',
    'sqlite:none.db',
    ['missing', 'none'],
    /no database .*none/,
  ],
])('%s: says what to do', async (_what, DATABASE_URL, args, words) => {
  const { env } = await filled();
  const { code, stdout, stderr } = await gateway({ ...env, DATABASE_URL }, 'restore', ...args);
  expect([code, stdout, stderr]).toEqual([1, '', expect.stringMatching(words)]);
  expect(stderr).not.toMatch(/secret@|^\s+at /m);
  expect(existsSync('none.db')).toBe(false);
});

test('a damaged database makes room, and is kept with its log', async () => {
  const { env, file, at } = await backedUp();
  writeFileSync(file, 'Dear database,\n'.repeat(1_000));
  writeFileSync(`${file}-wal`, 'a log');
  writeFileSync(`${file}-shm`, 'its index');
  const { keptAs, missing } = await restoreFrom(env, at('backup.db'));
  expect([existsSync(`${keptAs}`), existsSync(`${keptAs}-wal`)]).toEqual([true, true]);
  expect([existsSync(`${file}-wal`), existsSync(`${file}-shm`)]).toEqual([false, false]);
  expect(missing).toBeNull();
  expect(lastSeqOf(file)).toBe(1);
  await organization(env, 'hooli');
  const { stdout } = await gateway(env, 'restore', '--from', at('backup.db'));
  expect(stdout).toContain('It had 1 entries more.');
});

test('a key that was retired since counts again, which is said', async () => {
  const { env, at } = await backedUp();
  const { retired } = await rotate(env, '--emergency');
  const { missing } = await restoreFrom(env, at('backup.db'));
  expect(missing).toMatchObject({ entries: 9, revocations: 0, revivedKeys: retired });
});

test('killed at any moment, there is the one or the other, and the next one does it', async () => {
  const { env, file, at } = await backedUp();
  fatten(file, 10);
  const last = lastSeqOf(file);
  copyFileSync(file, at('old.db'));
  const args = [`${root}/bin/gateway.mjs`, 'restore', '--from', at('backup.db')];
  const found = new Set<unknown>();
  let code: number | null = null;
  for (let afterMs = 60; code !== 0; afterMs += 25) {
    copyFileSync(at('old.db'), file);
    const { child, ended } = launch(process.execPath, args, env);
    const timer = setTimeout(() => child.kill('SIGKILL'), afterMs);
    ({ code } = await ended);
    clearTimeout(timer);
    const { seq, integrity } = lookInto(file, (db) => ({
      seq: db.prepare('select max(seq) from ledger').pluck().get(),
      integrity: db.pragma('integrity_check', { simple: true }),
    }));
    expect([last, 1]).toContain(seq);
    expect(integrity).toBe('ok');
    found.add(seq);
  }
  expect(found).toEqual(new Set([last, 1]));
  copyFileSync(at('old.db'), file);
  expect(await restoreFrom(env, at('backup.db'))).toMatchObject({ lastSeq: 1 });
  expect(await draftsOf(file)).toEqual([]);
}, 120_000);
