import {
  type Context,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { parseTraceParent, TRACE_PARENT_HEADER } from '@opentelemetry/core';
import {
  defaultResource,
  detectResources,
  resourceAttributesEnvDetector,
  resourceFromAttributes,
  serviceNameEnvDetector,
} from '@opentelemetry/resources';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import type { FastifyBaseLogger } from 'fastify';
import { LRUCache } from 'lru-cache';
import { traceOperation } from './operation-trace.ts';
import { createSampler, type SamplerOptions } from './sampler.ts';
import { createTraceExporter, type ExporterOptions } from './trace-exporter.ts';
import type { AttemptTrace, Traces } from './traces.ts';

/** For how long a gateway that stops exports what is left. */
export const TRACES_CLOSE_MS = 3_000;

/** Ledger entries whose traces are remembered for what is delivered of them. */
const REMEMBERED_MAX = 10_000;

/** Spans are sent by OpenTelemetry's own SDK: in batches, behind the answers, and dropped where nobody takes them. */
export async function openTelemetry(
  config: ExporterOptions & SamplerOptions,
  log: FastifyBaseLogger,
): Promise<Traces> {
  const exporter = await createTraceExporter(config, log);
  const fromEnvironment = detectResources({
    detectors: [resourceAttributesEnvDetector, serviceNameEnvDetector],
  });
  const provider = new TracerProvider({
    resource: defaultResource()
      .merge(resourceFromAttributes({ 'service.name': 'revocation-gateway' }))
      .merge(fromEnvironment),
    sampler: createSampler(config),
    spanProcessors: [new BatchSpanProcessor({ exporter })],
  });
  return createTraces(provider.getTracer('revocation-gateway'), () => provider.shutdown());
}

function createTraces(tracer: Tracer, shutdown: () => Promise<void>): Traces {
  /** The spans of requests that are being answered, by request id. */
  const requests = new Map<string, Span>();
  const entries = new LRUCache<string, SpanContext>({ max: REMEMBERED_MAX });

  return {
    received(request) {
      const { url: route } = request.routeOptions;
      // Who looks every few seconds whether the gateway is well would be most of what there is.
      if (route?.startsWith('/health/')) return;
      const method = request.method;
      const span = tracer.startSpan(
        route === undefined ? method : `${method} ${route}`,
        {
          kind: SpanKind.SERVER,
          // The pattern, not the path: secrets are pasted as ids.
          attributes: {
            'http.request.method': method,
            'http.route': route,
            'gateway.request_id': request.id,
          },
        },
        parentOf(request.headers[TRACE_PARENT_HEADER]),
      );
      requests.set(request.id, span);
    },

    answered({ id, refusal }, { statusCode, raw }) {
      const span = requests.get(id);
      if (span === undefined) return;
      requests.delete(id);
      span.setAttribute('http.response.status_code', statusCode);
      if (refusal !== undefined) span.setAttribute('gateway.refusal', refusal.code);
      if (!raw.writableEnded) span.setAttribute('gateway.left', true);
      if (statusCode >= 500) {
        span.setAttribute('error.type', String(statusCode));
        span.setStatus({ code: SpanStatusCode.ERROR });
      }
      span.end();
    },

    operation(operation, call) {
      const remember = (entryId: string, context: SpanContext) => entries.set(entryId, context);
      const parent = within(requests.get(call.requestId)?.spanContext());
      return traceOperation({ tracer, parent, remember }, operation, call);
    },

    attempt(target, messageId): AttemptTrace {
      // Of what one entry is told in several messages, each id begins with the entry's.
      const entryId = messageId.split('.', 1)[0] ?? '';
      const span = tracer.startSpan(
        `deliver ${target.kind}`,
        {
          kind: SpanKind.CLIENT,
          // Not the URL: those of webhooks hold secrets.
          attributes: {
            'http.request.method': 'POST',
            'gateway.entry_id': entryId,
            'gateway.target.id': target.id,
            'gateway.target.kind': target.kind,
          },
        },
        within(entries.get(entryId)),
      );
      return {
        headers: { [TRACE_PARENT_HEADER]: traceParentOf(span.spanContext()) },
        endsWith(sent) {
          sent
            .catch(({ name }: Error) => name)
            .then((error) => {
              if (error !== undefined) {
                span.setStatus({ code: SpanStatusCode.ERROR, message: error });
              }
              span.end();
            });
        },
      };
    },

    async close() {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<false>((resolve) => {
        timer = setTimeout(resolve, TRACES_CLOSE_MS, false);
      });
      const done = shutdown().then(
        () => true,
        // What could not be exported was said in the log.
        () => true,
      );
      const inTime = await Promise.race([done, late]);
      clearTimeout(timer);
      return inTime;
    },
  };
}

/** What a caller says of the trace that a request is a part of. */
function parentOf(header: string | string[] | undefined): Context {
  const context = typeof header === 'string' ? parseTraceParent(header) : null;
  return within(context === null ? undefined : { ...context, isRemote: true });
}

const within = (parent: SpanContext | undefined): Context =>
  parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent);

const traceParentOf = ({ traceId, spanId, traceFlags }: SpanContext): string =>
  `00-${traceId}-${spanId}-0${traceFlags.toString(16)}`;
