import { expect, test } from 'vitest';
import { SCRAPE_WAIT_MS } from '../src/observability/gauges.ts';
import { past } from './engine.ts';
import { openObserved } from './observed.ts';

test('metrics do not wait for a database that is silent', async () => {
  const { h, scrape } = await openObserved();
  const other = await past(h.folder);
  await other.all('begin; lock table deliveries in access exclusive mode');
  for (let i = 0; i < 2; i++) {
    const begun = performance.now();
    const read = await scrape();
    const tookMs = performance.now() - begun;
    expect(tookMs).toBeLessThan(SCRAPE_WAIT_MS + 1_000);
    expect(read.sum('gateway_database_up')).toBe(0);
    expect(read.samples.filter(({ name }) => name.startsWith('gateway_outbox'))).toEqual([]);
    expect(read.sum('process_resident_memory_bytes')).toBeGreaterThan(0);
  }
  await other.all('rollback');
  await expect.poll(async () => (await scrape()).sum('gateway_database_up')).toBe(1);
});
