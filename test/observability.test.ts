import { join } from 'node:path';
import { expect, test } from 'vitest';
import { listen } from './loopback.ts';
import { scrape } from './observed.ts';
import { gateway, newFolder, root, type Served, serve, settingsIn } from './processes.ts';

/** What an operator sets so that a gateway is observed, and what it costs not to. */

const metricsUrlOf = (served: Served) => /Metrics: +(\S+)/.exec(served.output())?.[1] ?? '';

const telling = { NODE_OPTIONS: `--import=${join(root, 'test/fixtures/loaded.mjs')}` };

const loadedBy = (output: string) => [
  ...new Set([...output.matchAll(/^loaded (\S+)/gm)].map(([, name]) => name)),
];

test('what is not asked for is not loaded, and listens nowhere', async () => {
  const served = await serve({ ...settingsIn(newFolder()), ...telling });
  expect(await (await fetch(`${served.url}/health/ready`)).json()).toMatchObject({ status: 'ok' });
  expect((await fetch(`${served.url}/metrics`)).status).toBe(404);
  expect(metricsUrlOf(served)).toBe('');
  expect(loadedBy(served.output())).toEqual([]);
});

test('one setting has metrics served on loopback, and one more has traces exported', async () => {
  const collector = await listen((response) => response.end('{}'));
  const served = await serve({
    ...{ ...settingsIn(newFolder()), ...telling },
    ...{ METRICS_PORT: '0', OTEL_EXPORTER_OTLP_ENDPOINT: collector.url },
  });
  const url = metricsUrlOf(served);
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/metrics$/);
  expect((await scrape(url)).sum('process_start_time_seconds')).toBeGreaterThan(0);
  expect(loadedBy(served.output()).sort()).toEqual(['open-telemetry', 'prometheus']);
  served.kill('SIGTERM');
  expect((await served.ended).code).toBe(0);
});

test('SDKs that are switched off for all are off here', async () => {
  const served = await serve({
    ...{ ...settingsIn(newFolder()), ...telling },
    ...{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9', OTEL_SDK_DISABLED: 'true' },
  });
  expect(loadedBy(served.output())).toEqual([]);
});

test('settings that cannot be are named, all at once', async () => {
  const { code, stderr } = await gateway(
    {
      ...settingsIn(newFolder()),
      ...{ METRICS_PORT: 'x', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc', OTEL_TRACES_SAMPLER: 'some' },
      ...{ OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318', OTEL_TRACES_SAMPLER_ARG: '2' },
    },
    'serve',
  );
  expect(code).toBe(1);
  for (const name of ['PROTOCOL', 'ENDPOINT']) expect(stderr).toContain(`OTLP_${name}: `);
  expect(stderr).toContain('OTEL_TRACES_SAMPLER: ');
  expect(stderr).toContain('OTEL_TRACES_SAMPLER_ARG: must be a number from 0 to 1');
  expect(stderr).toContain('METRICS_PORT: must be a whole number from 0 to 65535');
});

test('a port that is taken is named by its setting', async () => {
  const { port } = await listen((response) => response.end());
  const { code, stderr } = await gateway(
    { ...settingsIn(newFolder()), METRICS_PORT: String(port) },
    'serve',
  );
  expect(code).toBe(1);
  expect(stderr).toBe(
    `Cannot listen on port ${port} of 127.0.0.1 (EADDRINUSE): set METRICS_PORT and METRICS_HOST to others.\n`,
  );
});
