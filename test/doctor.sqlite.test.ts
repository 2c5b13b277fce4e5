import { chmodSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { damage, fatten, filled, lookInto } from './backups.ts';
import { examine } from './doctors.ts';

/** What only an SQLite file can have wrong with it. */

test('files and folders that others can use', async () => {
  const { env, file, folder } = await filled();
  chmodSync(file, 0o640);
  expect(await examine(env)).toMatchObject({
    code: 1,
    wrong: [['file permissions', 'problem']],
  });
  chmodSync(file, 0o600);
  chmodSync(folder, 0o777);
  const { of } = await examine(env);
  expect(of('file permissions')).toMatchObject([
    { status: 'problem', what: `${folder} lets others replace the files of the database` },
  ]);
});

test('a file that is damaged, and one that is none', async () => {
  const { env, file } = await filled();
  fatten(file, 1);
  const page = lookInto(file, (db) =>
    db
      .prepare("select rootpage from sqlite_schema where name = 'ledger_organization'")
      .pluck()
      .get(),
  );
  damage(file, (Number(page) - 1) * 4096);
  expect((await examine(env)).of('integrity')).toMatchObject([
    { status: 'problem', remedy: expect.stringContaining('gateway restore') },
  ]);
  writeFileSync(file, 'Dear database,\n'.repeat(1_000));
  const { code, of } = await examine(env);
  expect([code, of('database')]).toMatchObject([
    1,
    [{ status: 'problem', what: 'It cannot be read (file is not a database)' }],
  ]);
});

test('a gap in the ledger', async () => {
  const { env, file } = await filled();
  fatten(file, 1);
  lookInto(file, (db) =>
    db.exec('drop trigger ledger_no_delete; delete from ledger where seq = 7'),
  );
  expect((await examine(env)).of('ledger')).toMatchObject([
    { status: 'problem', what: 'entries are missing between 1 and 40' },
  ]);
});

test('a database in memory', async () => {
  const { env } = await filled();
  const { code, of } = await examine({ ...env, DATABASE_URL: 'sqlite::memory:' });
  expect([code, of('database')]).toMatchObject([0, [{ status: 'warning' }]]);
});
