import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';
import type { FastifyBaseLogger } from 'fastify';
import type { Config } from '../config.ts';

/** The settings that say so. */
export type ExporterOptions = Pick<Config, 'otelExporterOtlpEndpoint' | 'otelExporterOtlpProtocol'>;

/** Exports spans by OTLP over HTTP, and says in the log when that begins to fail and when it works again. */
export async function createTraceExporter(
  { otelExporterOtlpEndpoint, otelExporterOtlpProtocol }: ExporterOptions,
  log: FastifyBaseLogger,
): Promise<SpanExporter> {
  const { OTLPTraceExporter } = await (otelExporterOtlpProtocol === 'http/json'
    ? import('@opentelemetry/exporter-trace-otlp-http')
    : import('@opentelemetry/exporter-trace-otlp-proto'));
  // Headers, time limit, compression and certificates it reads from the standard variables itself.
  const url = `${otelExporterOtlpEndpoint?.replace(/\/+$/, '')}/v1/traces`;
  return telling(new OTLPTraceExporter({ url }), log);
}

/** However often it fails, it is said once. */
function telling(exporter: SpanExporter, log: FastifyBaseLogger): SpanExporter {
  let failing = false;
  return {
    export(spans: ReadableSpan[], told: (result: ExportResult) => void) {
      exporter.export(spans, (result) => {
        const failed = result.code !== ExportResultCode.SUCCESS;
        if (failed && !failing) {
          const { code, message } = (result.error ?? {}) as NodeJS.ErrnoException;
          log.warn({ code, reason: message }, 'traces are not exported');
        } else if (!failed && failing) {
          log.info('traces are exported again');
        }
        failing = failed;
        told(result);
      });
    },
    forceFlush: async () => exporter.forceFlush?.(),
    shutdown: () => exporter.shutdown(),
  };
}
