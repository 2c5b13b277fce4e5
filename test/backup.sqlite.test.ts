import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { draftsOf } from '../src/draft.ts';
import { backUp, damage, fatten, filled, lookInto } from './backups.ts';
import { gateway, launch, newFolder, root, type Settings, settingsIn } from './processes.ts';

/** `gateway backup`: a copy that is whole, or none. */

const refused = (words: RegExp) => ({ code: 1, stdout: '', stderr: expect.stringMatching(words) });

test('the copy is one file, for its owner alone, and holds what the database holds', async () => {
  const { env, file, at, folder } = await filled();
  const made = await backUp(env, at('copy.db'));
  expect(made).toEqual({
    ...{ file: at('copy.db'), bytes: statSync(at('copy.db')).size, lastSeq: 0 },
    ...{ at: expect.stringMatching(/^\d{4}-.*Z$/), durationMs: expect.any(Number) },
    secretKeyFile: at('secret.key'),
  });
  expect(statSync(at('copy.db')).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder).filter((name) => name.startsWith('copy'))).toEqual(['copy.db']);
  const rows = (path: string) =>
    lookInto(path, (db) => db.prepare('select * from revocables order by id').all());
  expect(rows(at('copy.db'))).toEqual(rows(file));
  // It needs no other file, also where nothing can be written.
  expect(lookInto(at('copy.db'), (db) => db.pragma('journal_mode', { simple: true }))).toBe(
    'delete',
  );

  const { stdout } = await gateway(env, 'backup', '--to', at('again.db'));
  expect(stdout).toMatch(/again\.db has the database as of .*Z: entries of the ledger up to 0\.$/m);
  expect(stdout).toMatch(/^[\d,]+ bytes, copied and checked in [\d,]+ ms\.$/m);
  expect(stdout).toContain(`not in it: the secret key, ${at('secret.key')}.`);
});

test('a file that is there stays as it is', async () => {
  const { env, at } = await filled();
  writeFileSync(at('copy.db'), 'mine');
  expect(await gateway(env, 'backup', '--to', at('copy.db'))).toEqual({
    ...refused(/copy\.db exists: choose another name with --to\.\n$/),
    signal: null,
  });
  expect(readFileSync(at('copy.db'), 'utf8')).toBe('mine');
});

test('a database that is not there is not made', async () => {
  const folder = newFolder();
  const env = settingsIn(folder, `sqlite:${join(folder, 'none.db')}`);
  const ended = await gateway(env, 'backup', '--to', join(folder, 'copy.db'));
  expect(ended).toMatchObject(refused(/There is no database .*none\.db\.\n$/));
  expect(readdirSync(folder)).toEqual([]);
});

test.each<[string, Settings, string[], RegExp]>([
  ['no file', {}, [], /required option '--to <file>'/],
  ['a folder that is not there', {}, ['--to', '/none/copy.db'], /cannot be written .*ENOENT/],
  [
    'PostgreSQL',
    { DATABASE_URL: 'postgres://gateway:secret@127.0.0.1/gateway' },
    ['--to', 'copy.db'],
    /pg_dump --format=custom --file=FILE "\$DATABASE_URL"\n.*SECRET_KEY_FILE/,
  ],
  ['memory', { DATABASE_URL: 'sqlite::memory:' }, ['--to', 'copy.db'], /there is no file/],
])('%s: says what to do', async (_what, more, args, words) => {
  const env = { ...settingsIn(newFolder()), ...more };
  const ended = await gateway(env, 'backup', ...args);
  expect(ended).toMatchObject(refused(words));
  expect(ended.stderr).not.toMatch(/secret@|^\s+at /m);
});

test('a database that is not whole is not taken for a backup', async () => {
  const { env, file, at, folder } = await filled();
  fatten(file, 1);
  await backUp(env, at('good.db'));
  const pageOfLedger = lookInto(file, (db) =>
    db
      .prepare("select rootpage from sqlite_schema where name = 'ledger_organization'")
      .pluck()
      .get(),
  );
  damage(file, (Number(pageOfLedger) - 1) * 4096 + 4_000);
  const damaged = await gateway(env, 'backup', '--to', at('copy.db'));
  expect(damaged).toMatchObject(refused(/is no database of a gateway that is whole: /));

  lookInto(at('good.db'), (db) => {
    db.exec('drop trigger ledger_no_delete; delete from ledger where seq = 3');
  });
  const other = { ...env, DATABASE_URL: `sqlite:${at('good.db')}` };
  const gap = await gateway(other, 'backup', '--to', at('copy.db'));
  expect(gap).toMatchObject(refused(/whole: entries of the ledger are missing\.\n$/));
  lookInto(at('good.db'), (db) => db.exec('delete from ledger where seq < 3'));
  const beginning = await gateway(other, 'backup', '--to', at('copy.db'));
  expect(beginning).toMatchObject(refused(/whole: entry 3 is missing\.\n$/));
  expect(readdirSync(folder).filter((name) => name.startsWith('copy'))).toEqual([]);
});

/** Begins a backup of a large file, and says when it is on its way. */
async function begun() {
  const { env, file, at } = await filled();
  fatten(file, 150);
  const bin = join(root, 'bin/gateway.mjs');
  const started = launch(process.execPath, [bin, 'backup', '--to', at('copy.db')], env);
  const isOnItsWay = async () => (await draftsOf(at('copy.db'))).length > 0;
  await vi.waitUntil(isOnItsWay, { timeout: 20_000, interval: 2 });
  return { ...started, env, at };
}

test.each(['SIGINT', 'SIGTERM'] as const)(
  '%s leaves nothing behind',
  async (signal) => {
    const { child, ended, at } = await begun();
    child.kill(signal);
    expect(await ended).toEqual({
      ...{ code: 1, signal: null, stdout: '', stderr: 'Stopped: nothing was made.\n' },
    });
    expect(existsSync(at('copy.db'))).toBe(false);
    expect(await draftsOf(at('copy.db'))).toEqual([]);
  },
  60_000,
);

test('what a killed one leaves has not the name, and goes with the next', async () => {
  const { child, ended, env, at } = await begun();
  child.kill('SIGKILL');
  await ended;
  expect(existsSync(at('copy.db'))).toBe(false);
  expect((await draftsOf(at('copy.db'))).length).toBeGreaterThan(0);
  await backUp(env, at('copy.db'));
  expect(await draftsOf(at('copy.db'))).toEqual([]);
}, 60_000);
