import { statfsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { DISK_FREE_BYTES_MIN } from '../src/observability/disk.ts';
import { scrape } from './observed.ts';
import { serve, settingsIn } from './processes.ts';
import { smallDisk } from './refused-writes.ts';

test('little room on the disk is said before it is used up, and takes no gateway out of use', async () => {
  const { folder } = smallDisk();
  const served = await serve({ ...settingsIn(folder), METRICS_PORT: '0' });
  // Where no disk may be mounted, it is that of the machine.
  const { bavail, bsize } = statfsSync(folder);
  const word = bavail * bsize < DISK_FREE_BYTES_MIN ? 'degraded' : 'ok';
  const response = await fetch(`${served.url}/health/ready`);
  expect([response.status, await response.json()]).toEqual([
    200,
    { status: word, checks: { database: 'ok', outbox: 'ok', disk: word } },
  ]);
  const [, metricsUrl = ''] = /Metrics: +(\S+)/.exec(served.output()) ?? [];
  const free = (await scrape(metricsUrl)).sum('gateway_database_disk_free_bytes');
  expect(Math.abs(free - bavail * bsize)).toBeLessThan(64 * 1024 * 1024);
});
