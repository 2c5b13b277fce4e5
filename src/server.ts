import { type IncomingMessage, STATUS_CODES } from 'node:http';
import Fastify, { type FastifyInstance, type FastifyRequest, LogController } from 'fastify';
import { type Cidr, isWithin, withoutPort } from './addresses.ts';
import type { Config } from './config.ts';
import { closeOnceAnswered } from './connections.ts';
import type { AnyCredential } from './credentials/kinds.ts';
import { mountFeed } from './feed/mount.ts';
import type { Gateway } from './gateway.ts';
import type { Examples } from './graphql/examples.ts';
import { mountGraphql } from './graphql/mount.ts';
import { GRAPHQL_METHODS, GRAPHQL_PATH } from './graphql/path.ts';
import { tooManyRequests } from './graphql/too-many-requests.ts';
import { limitConnections } from './guard/connection-limit.ts';
import { limitRates } from './guard/rate-limits.ts';
import type { RateLimits } from './guard/rates.ts';
import { securityHeaders } from './guard/security-headers.ts';
import { oauthWords } from './oauth/answers.ts';
import { mountOauth } from './oauth/mount.ts';
import { answered } from './observability/answered.ts';
import { mountHealth } from './observability/health.ts';
import { mountOpenapi } from './openapi/mount.ts';
import { json } from './rest/dialect.ts';
import { gatewayAnswers } from './rest/dialects/gateway.ts';
import {
  createGeneralAnswers,
  knowEveryMethod,
  mountOtherMethods,
  mountRest,
  URL_BYTES_MAX,
} from './rest/mount.ts';
import { Overloaded } from './unavailable.ts';

/** What the server is made from. */
export interface ServerOptions {
  readonly gateway: Gateway;
  readonly newRequestId: () => string;
  readonly profile: Config['profile'];
  /** Undefined: there are none. */
  readonly rateLimits?: RateLimits | undefined;
  /** Proxies whose word on a client's address is taken. */
  readonly trustedProxies?: readonly Cidr[];
  /** What GraphiQL opens with. */
  readonly examples?: Examples | undefined;
  /** `false` has Yoga answer all of GraphQL, as it does whatever the short path leaves to it. */
  readonly shortPath?: boolean | undefined;
  /** Connections of one address at once, where it is not what it is elsewhere. */
  readonly connectionsPerAddressMax?: number | undefined;
}

/** Request line and headers together, in bytes; beyond it the answer is 431. */
const HEADER_BYTES_MAX = 128 * 1024;
const REQUEST_TIMEOUT_MS = 60_000;
const HEADERS_TIMEOUT_MS = 15_000;
/** How often it is looked which requests have taken too long to arrive. */
const CONNECTIONS_CHECK_MS = 5_000;
/** For a further request on a connection: longer than the minute that proxies keep theirs. */
const KEEP_ALIVE_MS = 72_000;
/** No client can say a blank in a path. */
const NOWHERE = '/ ';
/** Connections at once; one more is closed. */
const CONNECTIONS_MAX = 10_000;

/** The HTTP server: the vendors' REST, OAuth, GraphQL, and health. It does not listen yet. */
export function createServer(options: ServerOptions): FastifyInstance {
  const {
    gateway,
    newRequestId,
    profile,
    trustedProxies = [],
    rateLimits,
    examples,
    shortPath,
    connectionsPerAddressMax,
  } = options;
  const routes = gateway.credentials.flatMap(({ rest, routes: others = [] }: AnyCredential) => [
    ...(rest === undefined ? [] : [rest]),
    ...others,
  ]);
  const dialects = [...new Set(routes.map(({ dialect }) => dialect))];
  const general = createGeneralAnswers(gateway, [...dialects, oauthWords]);

  const headers = securityHeaders(gateway.publicUrl);
  const isProxy = (address: string) => isWithin(address, trustedProxies);
  const malformed = new WeakMap<IncomingMessage, { readonly id: string; readonly url: string }>();
  const app = Fastify({
    loggerInstance: gateway.log,
    // One line a request, below, that says what is safe to keep.
    logController: new LogController({ disableRequestLogging: true }),
    // A logger for each request costs more than to say the request's id with what is logged.
    childLoggerFactory: (logger) => logger,
    genReqId: (raw) => malformed.get(raw as IncomingMessage)?.id ?? newRequestId(),
    // Routes read what they are sent themselves, and say all that they send.
    schemaController: { compilersFactory: { buildValidator: unused, buildSerializer: unused } },
    trustProxy: trustedProxies.length > 0 && isProxy,
    rewriteUrl: ({ url = '/' }) => (url.startsWith('/') ? url : originForm(url)),
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: 'idle',
    // A request that is read while the server stops is answered like any other.
    return503OnClosing: false,
    keepAliveTimeout: KEEP_ALIVE_MS,
    http: {
      maxHeaderSize: HEADER_BYTES_MAX,
      headersTimeout: HEADERS_TIMEOUT_MS,
      connectionsCheckingInterval: CONNECTIONS_CHECK_MS,
      // Node's own answer to that has neither a body nor a request id.
      requireHostHeader: false,
    },
    // The whole URL has a limit; its parts need none of their own.
    routerOptions: { maxParamLength: HEADER_BYTES_MAX },
    // A path that cannot be decoded has no hooks: it is brought where nothing is, and counts like any other.
    frameworkErrors: (_error, { id, raw }, reply) => {
      malformed.set(raw, { id, url: raw.url ?? '' });
      raw.url = NOWHERE;
      app.routing(raw, reply.raw);
    },
    clientErrorHandler: (error, socket) => {
      // What cannot be read may stand behind a request that is still being answered.
      const status = clientErrorStatus[error.code] ?? 400;
      if (!socket.writable || connections.endOnceAnswered(socket, status)) return;
      const id = newRequestId();
      const { body } = gatewayAnswers.badRequest({ id, method: '', path: '/' }, status);
      gateway.log.info({ reqId: id, status, code: error.code }, 'unreadable');
      gateway.metrics?.answered({ method: 'none', route: undefined, status, seconds: undefined });
      const fields = {
        ...headers,
        'x-request-id': id,
        'content-type': 'application/problem+json',
        'content-length': Buffer.byteLength(body),
        connection: 'close',
      };
      const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
      socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`);
    },
  });

  const connections = closeOnceAnswered(app);
  app.server.maxConnections = CONNECTIONS_MAX;
  limitConnections(app.server, isProxy, connectionsPerAddressMax);
  // Who expects something else than Node knows is answered all the same (RFC 9110, 10.1.1).
  app.server.on('checkExpectation', (...asked) => app.server.emit('request', ...asked));
  knowEveryMethod(app);
  app.setErrorHandler(general.failed);
  app.setNotFoundHandler((request, reply) =>
    malformed.has(request.raw)
      ? general.malformedUrl(request, reply)
      : general.unknownPath(request, reply),
  );
  for (const name of ['refusal', 'actor', 'mutations', 'limited']) app.decorateRequest(name);
  // With a callback, and no further hooks: each of them costs every request.
  app.addHook('onRequest', (request, reply, next) => {
    request.raw.url = malformed.get(request.raw)?.url ?? request.raw.url;
    if (trustedProxies.length > 0) forgetPorts(request);
    reply.headers(headers).header('x-request-id', request.id);
    reply.raw.once('close', () => answered(request, reply, gateway));
    gateway.traces?.received(request);
    if (isTooLong(request)) void general.uriTooLong(request, reply);
    else if (isHostless(request)) void general.failed({ statusCode: 400 }, request, reply);
    else if (connections.isFlooded(request.socket)) next(new Overloaded('Too many at once'));
    else next();
  });
  if (rateLimits !== undefined) {
    limitRates(app, rateLimits, (request, seconds) =>
      request.routeOptions.url === GRAPHQL_PATH
        ? json(429, 'application/json', tooManyRequests(seconds))
        : general.tooManyRequests(request, seconds),
    );
  }

  app.addHook('onReady', async () => gateway.delivery.start());
  // Whoever follows the ledger is told that nothing more comes.
  app.addHook('preClose', async () => gateway.tail.close());

  // Where nothing reads a body, none of whatever type is a reason for another answer.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, ignored) => ignored(null));
  app.get('/', async (_request, reply) => reply.redirect(GRAPHQL_PATH));
  mountHealth(app, gateway);
  mountRest(app, gateway, routes);
  mountOauth(app, gateway);
  mountFeed(app, gateway);
  mountOpenapi(app, gateway, { routes, profile, token: examples?.token });
  mountGraphql(app, gateway, { profile, examples, shortPath });
  mountOtherMethods(app, GRAPHQL_PATH, GRAPHQL_METHODS, gatewayAnswers);
  mountOtherMethods(app, '/', ['GET', 'HEAD'], gatewayAnswers);
  return app;
}

/** Some proxies write the port of the client too, or put the address in brackets. */
function forgetPorts({ raw: { headers } }: FastifyRequest): void {
  const forwarded = headers['x-forwarded-for'];
  if (typeof forwarded !== 'string') return;
  headers['x-forwarded-for'] = forwarded
    .split(',')
    .map((each) => withoutPort(each.trim()))
    .join();
}

/** Stands for compilers that are large, and have nothing to compile. */
const unused = () => () => {
  throw new Error('There are no schemas of routes');
};

const isTooLong = ({ raw }: FastifyRequest) => Buffer.byteLength(raw.url ?? '') > URL_BYTES_MAX;

/** RFC 9112 has servers accept the whole URI where a path is meant. Whatever else is no path is one that nothing is at. */
const originForm = (url: string) =>
  url.replace(/^https?:\/\/[^/?#]*/i, '').replace(/^(?!\/|\*$)/, '/');

/** RFC 9112 has a server refuse such a request. */
const isHostless = ({ raw }: FastifyRequest) =>
  raw.headers.host === undefined && raw.httpVersion !== '1.0';

const clientErrorStatus: Record<string, number> = {
  HPE_HEADER_OVERFLOW: 431,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};
