import { cpSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Demo } from '../db/demo.ts';
import { past } from './engine.ts';
import { gatewayJson, newFolder, serve, settingsIn } from './processes.ts';
import { changeByEach, doneByEach, read, readable, unavailableByEach } from './surfaces.ts';

/** A file that is taken from under a gateway: what is written to it then is nowhere, and not answered. */

async function filled() {
  const folder = newFolder();
  const settings = { ...settingsIn(folder), LOG_LEVEL: 'warn' };
  const demo = await gatewayJson<Demo>(settings, 'demo', '--count', '12');
  return { folder, settings, demo, file: join(folder, 'gateway.db') };
}

const nothingRead = { live: 200, me: 503, introspection: 503, active: undefined };

/** Asks until the answers are these: whatever only reads may go on for a second. */
const untilRead = (url: string, demo: Demo, i: number, expected: object) =>
  expect.poll(() => read(url, demo, i), { timeout: 5_000 }).toEqual(expected);

for (const suffix of ['', '-wal', '-shm']) {
  test(`gateway.db${suffix} is moved away, and back`, async () => {
    const { demo, file, settings } = await filled();
    const served = await serve(settings);
    expect(await changeByEach(served.url, demo, 0)).toEqual(doneByEach);

    renameSync(file + suffix, `${file}.away`);
    expect(await changeByEach(served.url, demo, 1)).toEqual(unavailableByEach);
    await untilRead(served.url, demo, 2, nothingRead);
    const line = served
      .output()
      .match(/.*removed or replaced while the gateway had it open.*/)?.[0];
    expect(JSON.parse(line ?? '')).toMatchObject({
      level: 50,
      remedy: expect.stringContaining('start the gateway again to serve those that are there now'),
    });

    renameSync(`${file}.away`, file + suffix);
    await untilRead(served.url, demo, 2, readable);
    expect(await changeByEach(served.url, demo, 2)).toEqual(doneByEach);
  });
}

test('a backup is put in its place: nothing is answered until it is served', async () => {
  const { demo, file, folder, settings } = await filled();
  const served = await serve(settings);
  const db = await past(folder);
  await db.all(`vacuum into '${file}.backup'`);
  await db.close();
  expect(await changeByEach(served.url, demo, 0)).toEqual(doneByEach);

  cpSync(`${file}.backup`, `${file}.restored`);
  for (const suffix of ['-wal', '-shm']) rmSync(file + suffix);
  renameSync(`${file}.restored`, file);
  expect(await changeByEach(served.url, demo, 1)).toEqual(unavailableByEach);
  await untilRead(served.url, demo, 2, nothingRead);
  served.kill('SIGKILL');
  await served.ended;

  const { url } = await serve(settings);
  // As the backup has it.
  expect(await read(url, demo, 0)).toEqual(readable);
  expect(await changeByEach(url, demo, 1)).toEqual(doneByEach);
});
