import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { PrometheusMetrics } from './prometheus.ts';

/** What answers `/metrics` is little enough for one request at a time. */
const CONNECTIONS_MAX = 20;
/** Whoever keeps one of them and asks nothing. */
const HEADERS_TIMEOUT_MS = 3_000;
/** How often it is looked who does. */
const CONNECTIONS_CHECK_MS = 1_000;

/** The server that Prometheus reads from. It has one path, and does not listen yet. */
export function createMetricsServer(metrics: PrometheusMetrics): Server {
  const timeouts = { headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: HEADERS_TIMEOUT_MS };
  const checked = { ...timeouts, connectionsCheckingInterval: CONNECTIONS_CHECK_MS };
  const server = createServer(checked, (request, response) => {
    answer(metrics, request, response).catch(() => response.destroy());
  });
  server.maxConnections = CONNECTIONS_MAX;
  return server;
}

async function answer(
  metrics: PrometheusMetrics,
  { method, url = '' }: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (!/^\/metrics(?:\?|$)/.test(url)) {
    response.writeHead(404).end();
  } else if (method !== 'GET' && method !== 'HEAD') {
    response.writeHead(405, { allow: 'GET, HEAD' }).end();
  } else {
    const text = await metrics.text();
    response.writeHead(200, { 'content-type': metrics.contentType, 'cache-control': 'no-store' });
    response.end(text);
  }
}
