import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { TRACES_CLOSE_MS } from '../src/observability/open-telemetry.ts';
import { collect } from './collector.ts';
import { listen } from './loopback.ts';
import { newFolder, type Served, serve, settingsIn } from './processes.ts';

/** How a gateway exports spans, and what becomes of it where nobody takes them. */

const json = (endpoint: string) => ({
  ...settingsIn(newFolder()),
  ...{ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' },
});

/** What the log says of exporting. */
const saidBy = (served: Served) =>
  served
    .output()
    .split('\n')
    .filter((line) => /"msg":"traces are/.test(line))
    .map((line) => (JSON.parse(line) as { msg: string }).msg);

test('what was done last is exported before a gateway ends', async () => {
  const collector = await collect();
  const served = await serve({ ...json(collector.url), OTEL_SERVICE_NAME: 'gateway-2' });
  await fetch(`${served.url}/last`);
  expect(collector.received).toEqual([]);
  served.kill('SIGTERM');
  expect((await served.ended).code).toBe(0);
  expect(collector.span('GET').attributes).toMatchObject({ 'http.response.status_code': 404 });
  expect(collector.resource()['service.name']).toBe('gateway-2');
});

test('unless said, spans go as protobuf, with what the standard variables say of the request', async () => {
  const collector = await listen((response) => response.end());
  const served = await serve({
    ...settingsIn(newFolder()),
    ...{ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_EXPORTER_OTLP_HEADERS: 'x-key=abc' },
  });
  await fetch(`${served.url}/oauth/token`, { method: 'POST' });
  served.kill('SIGTERM');
  expect((await served.ended).code).toBe(0);
  const [sent] = collector.received;
  expect(sent).toMatchObject({
    ...{ method: 'POST', url: '/v1/traces' },
    headers: { 'content-type': 'application/x-protobuf', 'x-key': 'abc' },
  });
  expect(sent?.body).toContain('POST /oauth/token');
});

test('a collector that is away slows nothing down and is said once, and once that it is back', async () => {
  const collector = await collect();
  await collector.close();
  const served = await serve({ ...json(collector.url), OTEL_EXPORTER_OTLP_TIMEOUT: '200' });
  const asked = async () => {
    const begun = performance.now();
    for (let i = 0; i < 50; i++) expect((await fetch(`${served.url}/x`)).status).toBe(404);
    return performance.now() - begun;
  };
  const tookMs = await asked();
  await expect.poll(() => saidBy(served), { timeout: 10_000 }).toHaveLength(1);
  // More than once more.
  for (let i = 0; i < 13; i++) {
    expect(await asked()).toBeLessThan(Math.max(5 * tookMs, 1_000));
    await setTimeout(500);
  }
  expect(saidBy(served)).toEqual(['traces are not exported']);
  const back = await listen((response) => response.end('{}'), collector.port);
  await asked();
  await expect
    .poll(() => saidBy(served), { timeout: 10_000 })
    .toEqual(['traces are not exported', 'traces are exported again']);
  expect(back.received.length).toBeGreaterThan(0);
}, 60_000);

test.each([
  ['never answers', undefined],
  ['always wants to be asked again', 503],
])('a collector that %s does not keep a gateway that ends', async (_what, status) => {
  const collector = await listen((response) => {
    if (status !== undefined) response.writeHead(status, { 'retry-after': '1' }).end();
  });
  const served = await serve(json(collector.url));
  await fetch(`${served.url}/x`);
  const begun = performance.now();
  served.kill('SIGTERM');
  expect((await served.ended).code).toBe(0);
  expect(performance.now() - begun).toBeLessThan(TRACES_CLOSE_MS + 3_000);
  expect(collector.received.length).toBeGreaterThan(0);
});
