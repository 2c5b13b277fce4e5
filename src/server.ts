import { STATUS_CODES } from 'node:http';
import Fastify, { type FastifyInstance, type FastifyRequest, LogController } from 'fastify';
import { type Cidr, isWithin } from './addresses.ts';
import { closeOnceAnswered } from './connections.ts';
import type { AnyCredential } from './credentials/kinds.ts';
import type { Gateway } from './gateway.ts';
import type { Examples } from './graphql/examples.ts';
import { GRAPHQL_METHODS, GRAPHQL_PATH, mountGraphql } from './graphql/yoga.ts';
import { gatewayAnswers } from './rest/dialects/gateway.ts';
import {
  createGeneralAnswers,
  knowEveryMethod,
  mountOtherMethods,
  mountRest,
  URL_BYTES_MAX,
} from './rest/mount.ts';

/** What the server is made from. */
export interface ServerOptions {
  readonly gateway: Gateway;
  readonly newRequestId: () => string;
  /** Proxies whose word on a client's address is taken. */
  readonly trustedProxies?: readonly Cidr[];
  /** What GraphiQL opens with. */
  readonly examples?: Examples | undefined;
}

/** Request line and headers together, in bytes; beyond it the answer is 431. */
const HEADER_BYTES_MAX = 128 * 1024;
const REQUEST_TIMEOUT_MS = 60_000;

/** The HTTP server: the vendors' REST, GraphQL, and health. It does not listen yet. */
export function createServer(options: ServerOptions): FastifyInstance {
  const { gateway, newRequestId, trustedProxies = [], examples } = options;
  const routes = gateway.credentials.flatMap(({ rest }: AnyCredential) => rest ?? []);
  const dialects = [...new Set(routes.map(({ dialect }) => dialect))];
  const general = createGeneralAnswers(gateway, dialects);

  const app = Fastify({
    loggerInstance: gateway.log,
    // One line a request, below, that says what is safe to keep.
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: newRequestId,
    trustProxy: (address: string) => isWithin(address, trustedProxies),
    // RFC 9112 has servers accept the whole URI where a path is meant.
    rewriteUrl: ({ url = '/' }) => url.replace(/^https?:\/\/[^/?#]*(?=\/)/i, ''),
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: 'idle',
    // A request that is read while the server stops is answered like any other.
    return503OnClosing: false,
    http: { maxHeaderSize: HEADER_BYTES_MAX },
    // The whole URL has a limit; its parts need none of their own.
    routerOptions: { maxParamLength: HEADER_BYTES_MAX },
    // A path that cannot be decoded never reaches a route.
    frameworkErrors: (_error, request, reply) => {
      const answer = isTooLong(request) ? general.uriTooLong : general.malformedUrl;
      answer(request, reply).catch((fault: unknown) => {
        general.failed(fault, request, reply);
      });
    },
    clientErrorHandler: (error, socket) => {
      if (!socket.writable) return;
      const status = clientErrorStatus[error.code] ?? 400;
      const { body } = gatewayAnswers.badRequest(
        { id: newRequestId(), method: '', path: '' },
        status,
      );
      socket.end(
        `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/problem+json\r\n` +
          `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
      );
    },
  });

  closeOnceAnswered(app);
  knowEveryMethod(app);
  app.setErrorHandler(general.failed);
  app.setNotFoundHandler(general.unknownPath);
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
    if (isTooLong(request)) return general.uriTooLong(request, reply);
  });
  app.addHook('onResponse', async (request, reply) => {
    // The route, not the path: people paste secrets as ids.
    request.log.info(
      {
        method: request.method,
        route: request.routeOptions.url,
        status: reply.statusCode,
        client: request.ip,
        ms: Math.round(reply.elapsedTime * 10) / 10,
      },
      'answered',
    );
  });

  app.get('/', async (_request, reply) => reply.redirect(GRAPHQL_PATH));
  app.get('/health/live', async () => ({ status: 'ok' }));
  app.get('/health/ready', async () => {
    await gateway.reader.selectFrom('signing_keys').select('kid').limit(1).execute();
    return { status: 'ok' };
  });
  mountRest(app, gateway, routes);
  mountGraphql(app, gateway, examples);
  mountOtherMethods(app, GRAPHQL_PATH, GRAPHQL_METHODS, gatewayAnswers);
  for (const path of ['/', '/health/live', '/health/ready']) {
    mountOtherMethods(app, path, ['GET', 'HEAD'], gatewayAnswers);
  }
  return app;
}

const isTooLong = ({ raw }: FastifyRequest) => Buffer.byteLength(raw.url ?? '') > URL_BYTES_MAX;

const clientErrorStatus: Record<string, number> = {
  HPE_HEADER_OVERFLOW: 431,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};
