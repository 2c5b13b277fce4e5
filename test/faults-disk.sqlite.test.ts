import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Demo } from '../db/demo.ts';
import { past } from './engine.ts';
import {
  gateway,
  gatewayJson,
  launch,
  newFolder,
  root,
  type Served,
  serve,
  settingsIn,
} from './processes.ts';
import { allowWrites, refuseWrites, smallDisk, withoutPrivileges } from './refused-writes.ts';
import { changeByEach, doneByEach, read, readable, unavailableByEach } from './surfaces.ts';

/** A disk that takes nothing: nothing is half done, and all goes on once it takes something. */

const quiet = { LOG_LEVEL: 'warn' };

/** Rows and entries: what must not change where a change was refused. */
async function state(folder: string): Promise<unknown[]> {
  const db = await past(folder);
  const rows = await db.all('select * from revocables order by id');
  const entries = await db.all('select * from ledger order by seq');
  const damage = await db.all('pragma integrity_check');
  expect(damage).toEqual([{ integrity_check: 'ok' }]);
  await db.close();
  return [rows, entries];
}

/** Changes are refused in each surface's words, reads answered; afterwards all goes on. */
async function holdsThrough(
  folder: string,
  demo: Demo,
  served: Served,
  cause: { begin(): void; end(): void },
): Promise<void> {
  expect(await changeByEach(served.url, demo, 0)).toEqual(doneByEach);
  const before = await state(folder);
  cause.begin();
  expect(await changeByEach(served.url, demo, 1)).toEqual(unavailableByEach);
  // Alone, too: nobody else's change fails with it.
  expect((await fetch(`${served.url}/health/ready`)).status).toBe(503);
  expect(await read(served.url, demo, 1)).toEqual(readable);
  cause.end();
  expect(await state(folder)).toEqual(before);
  expect(await changeByEach(served.url, demo, 1)).toEqual(doneByEach);
  expect(await read(served.url, demo, 1)).toEqual({ ...readable, active: false });
}

/** The lines that were logged as errors. */
const errors = (served: Served) =>
  served
    .output()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as { level: number; remedy?: string; msg: string })
    .filter(({ level }) => level >= 50);

test('a full disk', async () => {
  const disk = smallDisk();
  const settings = { ...settingsIn(disk.folder), ...quiet };
  const demo = await gatewayJson<Demo>(settings, 'demo', '--count', '12');
  const served = await serve(settings);
  await holdsThrough(disk.folder, demo, served, {
    begin: () => disk.fill(served.pid),
    end: () => disk.free(served.pid),
  });
  expect(errors(served)).toContainEqual(
    expect.objectContaining({
      msg: 'unavailable',
      remedy: expect.stringMatching(/make room on the disk|free space/),
    }),
  );
  served.kill('SIGTERM');
  expect((await served.ended).code).toBe(0);

  disk.fill();
  const [program = process.execPath, ...args] = [...disk.startFull, process.execPath];
  const started = await launch(program, [...args, join(root, 'bin/gateway.mjs'), 'serve'], settings)
    .ended;
  expect(started.code).toBe(1);
  expect(started.stderr).toMatch(/^The database .*(make room on the disk|free space)/);
  expect(started.stderr).not.toContain('    at ');
});

test('a disk that refuses every write', async () => {
  const folder = newFolder();
  const settings = { ...settingsIn(folder), ...quiet };
  const demo = await gatewayJson<Demo>(settings, 'demo', '--count', '12');
  const served = await serve(settings);
  await holdsThrough(folder, demo, served, {
    begin: () => refuseWrites(served.pid),
    end: () => allowWrites(served.pid),
  });
  expect(errors(served)[0]?.remedy).toContain('docs/operations.md');
});

test('a file that is for reading only is not served, and is once it is not', async () => {
  const folder = newFolder();
  const settings = settingsIn(folder);
  await gatewayJson<Demo>(settings, 'demo', '--count', '1');
  const files = [join(folder, 'gateway.db'), folder];
  for (const [i, file] of files.entries()) {
    chmodSync(file, i === 0 ? 0o400 : 0o500);
    const [program = process.execPath, ...args] = [...withoutPrivileges, process.execPath];
    const bin = join(root, 'bin/gateway.mjs');
    const { code, stderr } = await launch(program, [...args, bin, 'serve'], settings).ended;
    chmodSync(file, i === 0 ? 0o600 : 0o700);
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining('readable and writable for this user'),
    ]);
    expect(stderr).toMatch(/^The database \S+gateway\.db cannot be opened/);
  }
  expect((await gateway(settings, 'organization', 'create', 'after')).code).toBe(0);
});
