import { METHODS } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Gateway } from '../gateway.ts';
import { Refusal } from '../refusals.ts';
import { logOf } from '../request-log.ts';
import { isUnavailable, logUnavailable, RETRY_AFTER_S } from '../unavailable.ts';
import type { GeneralAnswers, PathWords, Reply } from './dialect.ts';
import { gatewayAnswers } from './dialects/gateway.ts';
import { type RestRoute, toRestRequest } from './route.ts';

/** The longest request target that is looked at, in bytes; beyond it the answer is 414. */
export const URL_BYTES_MAX = 64 * 1024;

/** The longest body that a vendor's route reads, in bytes; beyond it the answer is 413. */
export const REST_BODY_BYTES_MAX = 64 * 1024;

/** Mounts the vendors' routes, and gives every other answer on their paths in their words. */
export function mountRest(
  app: FastifyInstance,
  gateway: Gateway,
  routes: readonly RestRoute[],
): void {
  const add = (scope: FastifyInstance, route: RestRoute) => {
    for (const url of route.paths) {
      scope.route({
        method: route.method,
        url,
        handler: async (request, reply) => send(reply, await route.answer(gateway, request)),
      });
    }
  };
  app.register((scope, _options, done) => {
    // These take no body: whatever comes, and as whatever, is left unread.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, _payload, ignored) => ignored(null));
    scope.addHook('onRequest', forgetContentType);
    for (const route of routes.filter(({ body }) => !body)) add(scope, route);
    done();
  });
  app.register((scope, _options, done) => {
    // Who asks comes before what they say: the route itself reads the text as JSON, whatever its type.
    scope.removeAllContentTypeParsers();
    const limits = { parseAs: 'string', bodyLimit: REST_BODY_BYTES_MAX } as const;
    scope.addContentTypeParser('*', limits, (_request, text, read) => read(null, text));
    scope.addHook('onRequest', forgetContentType);
    for (const route of routes.filter(({ body }) => body)) add(scope, route);
    done();
  });
  for (const [url, { methods, general }] of methodsByPath(routes)) {
    mountOtherMethods(app, url, methods, general);
  }
}

/** A type that is none is no reason to refuse what is read whatever its type. */
export function forgetContentType(
  { headers }: FastifyRequest,
  _reply: FastifyReply,
  next: () => void,
): void {
  delete headers['content-type'];
  next();
}

function methodsByPath(routes: readonly RestRoute[]) {
  const paths = new Map<string, { methods: string[]; general: GeneralAnswers }>();
  for (const { paths: urls, method, dialect } of routes) {
    for (const url of urls) {
      const { methods } = paths.get(url) ?? { methods: [] };
      // Fastify answers HEAD like GET.
      const also = method === 'GET' ? ['GET', 'HEAD'] : [method];
      paths.set(url, { methods: [...methods, ...also], general: dialect.general });
    }
  }
  return paths;
}

/** Gives every other method on a path its answer. */
export function mountOtherMethods(
  scope: FastifyInstance,
  url: string,
  methods: readonly string[],
  general: GeneralAnswers,
): void {
  const allow = [...methods, 'OPTIONS'].join(', ');
  scope.route({
    method: 'OPTIONS',
    url,
    handler: async (_request, reply) => send(reply, { status: 204, headers: { allow }, body: '' }),
  });
  scope.route({
    method: scope.supportedMethods.filter((method) => ![...methods, 'OPTIONS'].includes(method)),
    url,
    handler: async (request, reply) => {
      const answer = general.methodNotAllowed(toRestRequest(request));
      return send(reply, { ...answer, headers: { ...answer.headers, allow } });
    },
  });
}

/** Makes the server know every method that Node reads, so that a wrong one is a 405 and not a 404. */
export function knowEveryMethod(app: FastifyInstance): void {
  for (const method of METHODS) {
    if (method !== 'CONNECT' && !app.supportedMethods.includes(method)) {
      app.addHttpMethod(method, { hasBody: true });
    }
  }
}

/** The answers that belong to no route: each in the words that the path's prefix calls for. */
export function createGeneralAnswers(gateway: Gateway, dialects: readonly PathWords[]) {
  const dialectOf = (request: FastifyRequest): PathWords | undefined => {
    const { path } = toRestRequest(request);
    return dialects.find(({ prefix }) => path === prefix || path.startsWith(`${prefix}/`));
  };
  const wordsFor = (request: FastifyRequest): GeneralAnswers =>
    dialectOf(request)?.general ?? gatewayAnswers;

  return {
    unknownPath: async (request: FastifyRequest, reply: FastifyReply) =>
      send(reply, wordsFor(request).unknownPath(toRestRequest(request))),

    uriTooLong: async (request: FastifyRequest, reply: FastifyReply) =>
      // It is not sent back at such length.
      send(
        reply,
        wordsFor(request).uriTooLong({
          ...toRestRequest(request),
          path: dialectOf(request)?.prefix ?? '/',
        }),
      ),

    /** A path that cannot be decoded. Who asks comes first, as everywhere. */
    async malformedUrl(request: FastifyRequest, reply: FastifyReply) {
      const common = dialectOf(request)?.common;
      const restRequest = toRestRequest(request);
      const actor =
        common && (await gateway.authenticate(request.headers.authorization, request.ip));
      if (actor instanceof Refusal) request.refusal = actor;
      else if (actor !== undefined) request.actor = actor;
      return send(
        reply,
        common !== undefined && actor instanceof Refusal
          ? common.UNAUTHENTICATED(actor, restRequest, undefined)
          : wordsFor(request).malformedUrl(restRequest),
      );
    },

    tooManyRequests: (request: FastifyRequest, seconds: number): Reply =>
      wordsFor(request).tooManyRequests(toRestRequest(request), seconds),

    /** What was thrown: the text stays in the log. */
    async failed(error: unknown, request: FastifyRequest, reply: FastifyReply) {
      const words = wordsFor(request);
      const restRequest = toRestRequest(request);
      const status = (error as { statusCode?: number }).statusCode ?? 500;
      if (status >= 400 && status < 500) return send(reply, words.badRequest(restRequest, status));
      if (isUnavailable(error)) {
        logUnavailable(logOf(request), error);
        const answer = words.unavailable(restRequest);
        const headers = { ...answer.headers, 'retry-after': String(RETRY_AFTER_S) };
        return send(reply, { ...answer, headers });
      }
      // The line of the request says that its client has left.
      const hasLeft = request.raw.socket.destroyed && isCutStream(error);
      if (!hasLeft) logOf(request).error({ err: error }, 'fault');
      return send(reply, words.fault(restRequest));
    },
  };
}

/** Whether a stream was ended by whoever reads it. */
const isCutStream = (error: unknown) =>
  (error as { code?: unknown } | null)?.code === 'ERR_STREAM_PREMATURE_CLOSE';

/** Sends a reply as it is. A handler gives it back: where a hook holds it up, it would be sent once more. */
export function send(reply: FastifyReply, { status, headers, body }: Reply): FastifyReply {
  reply.code(status).headers(headers);
  // A text, since bytes take a write of their own; serialized, since its type would be completed.
  return body === '' ? reply.send() : reply.serializer(asItIs).send(body);
}

const asItIs = (body: string): string => body;
