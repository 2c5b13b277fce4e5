import { once } from 'node:events';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Demo } from '../db/demo.ts';
import { gateway, gatewayJson, launch, newFolder, serve, settingsIn } from './processes.ts';
import { changeByEach, doneByEach, read, readable, unavailableByEach } from './surfaces.ts';

/** Another process that holds the database: it is waited for, and then said so. */

const program = `
  import Sqlite from ${JSON.stringify(import.meta.resolve('better-sqlite3'))};
  const db = new Sqlite(process.argv[1]);
  db.exec('begin ' + process.argv[2]);
  console.log('held');
  setInterval(() => {}, 60_000);
`;

/** Holds a database in a process of its own until it is let go. */
async function hold(file: string, how: 'immediate' | 'exclusive') {
  const args = ['--input-type=module', '-e', program, file, how];
  const { child, ended } = launch(process.execPath, args, { PATH: process.env.PATH ?? '' });
  await once(child.stdout, 'data');
  return async () => {
    child.kill('SIGKILL');
    await ended;
  };
}

for (const how of ['immediate', 'exclusive'] as const) {
  test(`held by another process (${how}): 503 after some seconds, then all goes on`, async () => {
    const folder = newFolder();
    const settings = settingsIn(folder);
    const demo = await gatewayJson<Demo>(settings, 'demo', '--count', '6');
    const { url } = await serve(settings);
    const letGo = await hold(join(folder, 'gateway.db'), how);

    const begun = performance.now();
    const asked = changeByEach(url, demo, 0);
    // Meanwhile nobody who only reads waits.
    expect(await read(url, demo, 0)).toEqual(readable);
    expect(await asked).toEqual(unavailableByEach);
    const tookMs = performance.now() - begun;
    // Whatever came meanwhile does not wait its own time behind the first.
    expect(tookMs).toBeGreaterThan(2_000);
    expect(tookMs).toBeLessThan(9_000);

    const again = changeByEach(url, demo, 0);
    await letGo();
    expect(await again).toEqual(doneByEach);
  }, 60_000);
}

test('held by another process while it starts: it says so', async () => {
  const folder = newFolder();
  const settings = settingsIn(folder);
  await gatewayJson<Demo>(settings, 'demo', '--count', '1');
  const letGo = await hold(join(folder, 'gateway.db'), 'exclusive');
  const { code, stderr } = await gateway(settings, 'serve');
  expect([code, stderr]).toEqual([1, expect.stringContaining('another process holds it')]);
  await letGo();
  expect((await gateway(settings, 'organization', 'create', 'after')).code).toBe(0);
}, 60_000);
