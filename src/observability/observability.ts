import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FastifyBaseLogger } from 'fastify';
import type { Config } from '../config.ts';
import { StartError } from '../start-error.ts';
import type { Watched } from './gauges.ts';
import type { Metrics } from './metrics.ts';
import type { PrometheusMetrics } from './prometheus.ts';
import type { Traces } from './traces.ts';

/** Makes what is told of everything that happens. */
export type Observe = (
  log: FastifyBaseLogger,
) => Promise<{ readonly metrics?: Metrics | undefined; readonly traces?: Traces | undefined }>;

/** What observes a gateway that serves. */
export interface Observability {
  readonly observe: Observe;
  /** Serves the metrics of a gateway, and says where; undefined where there are none. */
  listen(gateway: Watched): Promise<string | undefined>;
  /** Lets go of everything; false where something is left that would keep the process. */
  close(): Promise<boolean>;
}

type ObservabilityOptions = Pick<
  Config,
  | ('metricsPort' | 'metricsHost')
  | ('otelExporterOtlpEndpoint' | 'otelExporterOtlpProtocol')
  | ('otelTracesSampler' | 'otelTracesSamplerArg' | 'otelSdkDisabled')
>;

/** Metrics and traces as the settings say. What is not asked for is not loaded. */
export function createObservability(config: ObservabilityOptions): Observability {
  let metrics: PrometheusMetrics | undefined;
  let traces: Traces | undefined;
  let server: Server | undefined;

  return {
    async observe(log) {
      if (config.metricsPort !== undefined) {
        const { createPrometheusMetrics } = await import('./prometheus.ts');
        metrics = createPrometheusMetrics();
      }
      if (config.otelExporterOtlpEndpoint !== undefined && !config.otelSdkDisabled) {
        const { openTelemetry } = await import('./open-telemetry.ts');
        traces = await openTelemetry(config, log);
      }
      return { metrics, traces };
    },
    async listen(gateway) {
      if (metrics === undefined) return undefined;
      metrics.watch(gateway);
      const { createMetricsServer } = await import('./metrics-server.ts');
      server = createMetricsServer(metrics);
      return await listenOn(server, config);
    },
    async close() {
      server?.close();
      server?.closeAllConnections();
      return (await traces?.close()) ?? true;
    },
  };
}

async function listenOn(
  server: Server,
  { metricsPort: port, metricsHost: host }: ObservabilityOptions,
): Promise<string> {
  server.listen({ port, host });
  await once(server, 'listening').catch(({ code }: NodeJS.ErrnoException) => {
    throw new StartError(
      `Cannot listen on port ${port} of ${host} (${code}): set METRICS_PORT and METRICS_HOST to others.`,
    );
  });
  const { address, family, port: actual } = server.address() as AddressInfo;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${actual}/metrics`;
}
