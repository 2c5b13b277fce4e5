import { STATUS_CODES } from 'node:http';
import Fastify, {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify';
import { type Cidr, isWithin } from './addresses.ts';
import type { Config } from './config.ts';
import { closeOnceAnswered } from './connections.ts';
import type { AnyCredential } from './credentials/kinds.ts';
import { mountFeed } from './feed/mount.ts';
import type { Gateway } from './gateway.ts';
import type { Examples } from './graphql/examples.ts';
import { GRAPHQL_METHODS, GRAPHQL_PATH, mountGraphql } from './graphql/yoga.ts';
import { oauthWords } from './oauth/answers.ts';
import { mountOauth } from './oauth/mount.ts';
import { Unauthenticated } from './refusals.ts';
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
  readonly profile: Config['profile'];
  /** Proxies whose word on a client's address is taken. */
  readonly trustedProxies?: readonly Cidr[];
  /** What GraphiQL opens with. */
  readonly examples?: Examples | undefined;
}

/** Request line and headers together, in bytes; beyond it the answer is 431. */
const HEADER_BYTES_MAX = 128 * 1024;
const REQUEST_TIMEOUT_MS = 60_000;

/** The HTTP server: the vendors' REST, OAuth, GraphQL, and health. It does not listen yet. */
export function createServer(options: ServerOptions): FastifyInstance {
  const { gateway, newRequestId, profile, trustedProxies = [], examples } = options;
  const routes = gateway.credentials.flatMap(({ rest, routes: others = [] }: AnyCredential) => [
    ...(rest === undefined ? [] : [rest]),
    ...others,
  ]);
  const dialects = [...new Set(routes.map(({ dialect }) => dialect))];
  const general = createGeneralAnswers(gateway, [...dialects, oauthWords]);

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
      answer(request, reply)
        .catch((fault: unknown) => general.failed(fault, request, reply))
        .then(() => logAnswer(request, reply))
        .catch((fault: unknown) => gateway.log.error({ err: fault }, 'not answered'));
    },
    clientErrorHandler: (error, socket) => {
      // What cannot be read may stand behind a request that is still being answered.
      if (!socket.writable || connections.endOnceAnswered(socket)) return;
      const status = clientErrorStatus[error.code] ?? 400;
      const id = newRequestId();
      const { body } = gatewayAnswers.badRequest({ id, method: '', path: '/' }, status);
      gateway.log.info({ reqId: id, status, code: error.code }, 'unreadable');
      socket.end(
        `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/problem+json\r\n` +
          `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
      );
    },
  });

  const connections = closeOnceAnswered(app);
  knowEveryMethod(app);
  app.setErrorHandler(general.failed);
  app.setNotFoundHandler(general.unknownPath);
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
    reply.raw.once('close', () => {
      if (!reply.raw.writableEnded) logAnswer(request, reply, 'left');
    });
    if (isTooLong(request)) return general.uriTooLong(request, reply);
  });
  app.decorateRequest('refusal');
  app.addHook('onResponse', async (request, reply) => logAnswer(request, reply));

  app.addHook('onReady', async () => gateway.delivery.start());
  // Whoever follows the ledger is told that nothing more comes.
  app.addHook('preClose', async () => gateway.tail.close());

  app.get('/', async (_request, reply) => reply.redirect(GRAPHQL_PATH));
  app.get('/health/live', async () => ({ status: 'ok' }));
  app.get('/health/ready', async () => {
    await gateway.reader.selectFrom('signing_keys').select('kid').limit(1).execute();
    // Takes the write lock and gives it back: a database that cannot be written to revokes nothing.
    await gateway.writes.run(async () => undefined);
    return { status: 'ok' };
  });
  mountRest(app, gateway, routes);
  mountOauth(app, gateway);
  mountFeed(app, gateway);
  mountGraphql(app, gateway, { profile, examples });
  mountOtherMethods(app, GRAPHQL_PATH, GRAPHQL_METHODS, gatewayAnswers);
  for (const path of ['/', '/health/live', '/health/ready']) {
    mountOtherMethods(app, path, ['GET', 'HEAD'], gatewayAnswers);
  }
  return app;
}

/** The one line of the log for a request: the route, not the path, since secrets are pasted as ids. */
function logAnswer(
  request: FastifyRequest,
  reply: FastifyReply,
  ended: 'answered' | 'left' = 'answered',
): void {
  const { refusal } = request;
  request.log.info(
    {
      method: request.method,
      route: request.routeOptions.url,
      status: reply.statusCode,
      refusal: refusal?.code,
      reason: refusal instanceof Unauthenticated ? refusal.reason : undefined,
      client: request.ip,
      ms: Math.round(reply.elapsedTime * 10) / 10,
    },
    ended,
  );
}

const isTooLong = ({ raw }: FastifyRequest) => Buffer.byteLength(raw.url ?? '') > URL_BYTES_MAX;

const clientErrorStatus: Record<string, number> = {
  HPE_HEADER_OVERFLOW: 431,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};
