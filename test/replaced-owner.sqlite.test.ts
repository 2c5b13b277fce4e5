import { chownSync, readdirSync, rmSync, statSync } from 'node:fs';
import { expect, test } from 'vitest';
import { backUp, filled, type Restored, restoreFrom } from './backups.ts';
import { gatewayJson } from './processes.ts';

/**
 * What root replaces stays the gateway's, which runs as a user of its own. Who is not root owns what it
 * finds, and what it makes.
 */

const own = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
const others = own.uid === 0 ? { uid: 4321, gid: 4322 } : own;

const ownerOf = (file: string) => {
  const { uid, gid, mode } = statSync(file);
  return { uid, gid, mode: mode & 0o777 };
};

/** A gateway's folder, with all that is in it, and a backup that who runs the command has made. */
async function givenAway() {
  const given = await filled();
  for (const name of ['.', ...readdirSync(given.folder)]) {
    chownSync(given.at(name), others.uid, others.gid);
  }
  await backUp(given.env, given.at('backup.db'));
  return given;
}

test('a backup is for whoever makes it', async () => {
  const { at } = await givenAway();
  expect(ownerOf(at('backup.db'))).toEqual({ ...own, mode: 0o600 });
});

test('a database that is restored belongs to whom the one before did, or else the folder', async () => {
  const { env, at, file, folder } = await givenAway();
  const { keptAs }: Restored = await restoreFrom(env, at('backup.db'));
  for (const each of [file, keptAs ?? '']) {
    expect(ownerOf(each)).toEqual({ ...others, mode: 0o600 });
  }
  rmSync(file);
  await restoreFrom(env, at('backup.db'));
  expect(ownerOf(file)).toEqual({ ...others, mode: 0o600 });
  expect(readdirSync(folder).filter((name) => /-(?:wal|shm|journal)$/.test(name))).toEqual([]);
});

test('a secret key file that is replaced belongs to whom the one before did', async () => {
  const { env, at } = await givenAway();
  const { keptAs } = await gatewayJson<{ keptAs: string }>(env, 'key', 'reencrypt');
  for (const file of [at('secret.key'), keptAs, at('gateway.db')]) {
    expect(ownerOf(file)).toEqual({ ...others, mode: 0o600 });
  }
});
