import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Config } from '../config.ts';
import type { Gateway } from '../gateway.ts';
import type { Examples } from './examples.ts';
import type { Handler } from './handler.ts';
import { GRAPHQL_METHODS, GRAPHQL_PATH } from './path.ts';

/** The longest body of a GraphQL request, in bytes; beyond it the answer is 413. */
export const GRAPHQL_BODY_BYTES_MAX = 1024 * 1024;

export interface GraphqlOptions {
  /** `production` has neither GraphiQL nor introspection, and takes no queries by GET. */
  readonly profile: Config['profile'];
  /** What GraphiQL opens with. */
  readonly examples?: Examples | undefined;
  /** `false` has Yoga answer everything, so that tests can hold the two paths against each other. */
  readonly shortPath?: boolean | undefined;
}

/**
 * Mounts GraphQL over HTTP and, for browsers, GraphiQL. What answers is loaded as soon as the server
 * listens, or with the first request: the REST of a gateway that starts waits for none of it.
 */
export function mountGraphql(
  app: FastifyInstance,
  gateway: Gateway,
  options: GraphqlOptions,
): void {
  let handler: Promise<Handler> | undefined;
  const load = () => {
    handler ??= import('./handler.ts').then(({ createHandler }) => createHandler(gateway, options));
    return handler;
  };
  app.addHook('onListen', (done) => {
    setImmediate(() => {
      load().catch((error: unknown) => gateway.log.fatal({ err: error }, 'GraphQL is not there'));
    });
    done();
  });

  app.register((scope, _options, done) => {
    // Yoga reads the body; its type and its limit are the server's.
    scope.removeAllContentTypeParsers();
    const limits = { parseAs: 'string', bodyLimit: GRAPHQL_BODY_BYTES_MAX } as const;
    scope.addContentTypeParser('application/json', limits, (_request, body, read) =>
      read(null, body),
    );
    let read = 'localhost';
    scope.addHook('onRequest', ({ headers: { host = read } }, _reply, next) => {
      // Yoga makes a URL of it, in which nothing else may be said. Clients mostly say what the last has said.
      const readable = host === read || (!/[/\\?#@]/.test(host) && URL.canParse(`http://${host}`));
      if (readable) read = host;
      next(readable ? undefined : new BadRequest('Host'));
    });
    if (options.profile === 'production') scope.addHook('onRequest', refuseGet);
    else scope.addHook('onRequest', allowGraphiql);
    scope.route({
      method: [...GRAPHQL_METHODS],
      exposeHeadRoute: false,
      url: GRAPHQL_PATH,
      handler: async (request, reply) => (await load())(request, reply),
    });
    done();
  });
}

/**
 * Has queries come as JSON: a page of another site can have no browser send that unasked. Subscriptions
 * may come by GET, since what they tell nobody is told unasked: who asks says so in a header.
 */
function refuseGet(
  { method, headers }: FastifyRequest,
  reply: FastifyReply,
  next: (error?: Error) => void,
): void {
  if (method !== 'GET' || headers.accept?.includes('text/event-stream')) {
    next();
    return;
  }
  reply.header('allow', 'POST, OPTIONS');
  next(new MethodNotAllowed('GET'));
}

/** GraphiQL is a page that brings its scripts in itself. */
function allowGraphiql({ headers }: FastifyRequest, reply: FastifyReply, next: () => void): void {
  if (headers.accept?.includes('text/html')) {
    reply.header('content-security-policy', GRAPHIQL_POLICY);
  }
  next();
}

const GRAPHIQL_POLICY =
  "default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'; frame-ancestors 'none'";

/** What the server's error handler answers with 405. */
class MethodNotAllowed extends Error {
  readonly statusCode = 405;
}

/** What the server's error handler answers with 400. */
class BadRequest extends Error {
  readonly statusCode = 400;
}
