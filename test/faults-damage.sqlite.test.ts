import { closeSync, openSync, statSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Demo } from '../db/demo.ts';
import { gateway, gatewayJson, newFolder, serve, settingsIn } from './processes.ts';
import { changeByEach, unavailableByEach } from './surfaces.ts';

/** A file that is damaged: not served where that shows at the start, and else never taken for whole. */

const PAGE_BYTES = 4096;

async function filled() {
  const folder = newFolder();
  const settings = { ...settingsIn(folder), LOG_LEVEL: 'warn' };
  const demo = await gatewayJson<Demo>(settings, 'demo', '--count', '12');
  return { folder, settings, demo, file: join(folder, 'gateway.db') };
}

/** Writes nonsense over all pages from this one on. */
function overwrite(file: string, firstPage: number): void {
  const fd = openSync(file, 'r+');
  const at = (firstPage - 1) * PAGE_BYTES;
  writeSync(fd, Buffer.alloc(statSync(file).size - at, 0xaa), 0, undefined, at);
  closeSync(fd);
}

const damages: Record<string, (file: string) => void> = {
  'is no database at all': (file) => writeFileSync(file, 'Dear database,\n'.repeat(1_000)),
  'is cut off': (file) => truncateSync(file, Math.floor(statSync(file).size / 2)),
  'is cut off within a page': (file) => truncateSync(file, 5_000),
  'is overwritten but for its first page': (file) => overwrite(file, 2),
  'is overwritten from its first page on': (file) => overwrite(file, 1),
};

for (const [what, damage] of Object.entries(damages)) {
  test(`a file that ${what} is not served`, async () => {
    const { file, settings } = await filled();
    damage(file);
    const { code, stderr } = await gateway(settings, 'serve');
    expect(code).toBe(1);
    expect(stderr).toMatch(/^The .*database.* \((?:file is not a database|.*malformed)\): /);
    expect(stderr).toContain('put your newest backup in its place');
    expect(stderr).not.toContain('    at ');
  });
}

test('damage that is met while it serves: 503 everywhere, and an error in the log', async () => {
  const { file, settings, demo } = await filled();
  const served = await serve(settings);
  overwrite(file, 2);
  const { ready, ...seen } = await changeByEach(served.url, demo, 0);
  const { ready: _, ...unavailable } = unavailableByEach;
  expect(seen).toEqual(unavailable);
  expect(ready?.status).toBeGreaterThan(0);
  const line = served.output().match(/.*SQLITE_CORRUPT.*"unavailable".*/)?.[0];
  expect(JSON.parse(line ?? '')).toMatchObject({
    level: 50,
    remedy: expect.stringContaining('PRAGMA integrity_check'),
  });
});
