import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { PrometheusMetrics } from './prometheus.ts';

/** What answers `/metrics` is little enough for one request at a time. */
const CONNECTIONS_MAX = 20;

/** The server that Prometheus reads from. It has one path, and does not listen yet. */
export function createMetricsServer(metrics: PrometheusMetrics): Server {
  const server = createServer((request, response) => {
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
