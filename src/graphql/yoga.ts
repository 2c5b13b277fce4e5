import { AsyncLocalStorage } from 'node:async_hooks';
import type { ServerResponse } from 'node:http';
import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { GraphQLError, NoSchemaIntrospectionCustomRule, parse } from 'graphql';
import { createYoga, type Plugin } from 'graphql-yoga';
import { actorOf, bearerToken, callers } from '../authenticate.ts';
import type { Config } from '../config.ts';
import { Loaders } from '../credentials/load.ts';
import type { Gateway } from '../gateway.ts';
import { Refusal, Unauthenticated } from '../refusals.ts';
import { isUnavailable, RETRY_AFTER_S } from '../unavailable.ts';
import type { Context } from './builder.ts';
import { type Examples, graphiqlOptions } from './examples.ts';
import { buildSchema } from './schema.ts';

export const GRAPHQL_PATH = '/graphql';
export const GRAPHQL_METHODS = ['GET', 'POST'] as const;

/** The longest body of a GraphQL request, in bytes; beyond it the answer is 413. */
export const GRAPHQL_BODY_BYTES_MAX = 1024 * 1024;

/** The longest document, in lexical tokens; beyond it the answer is 400. */
export const GRAPHQL_TOKENS_MAX = 5_000;

export interface GraphqlOptions {
  /** `production` has neither GraphiQL nor introspection. */
  readonly profile: Config['profile'];
  /** What GraphiQL opens with. */
  readonly examples?: Examples | undefined;
}

/** Mounts GraphQL over HTTP and, for browsers, GraphiQL. */
export function mountGraphql(
  app: FastifyInstance,
  gateway: Gateway,
  { profile, examples }: GraphqlOptions,
): void {
  const open = profile === 'development';
  // Where a fault is masked, its request is not at hand otherwise.
  const current = new AsyncLocalStorage<FastifyRequest>();
  const yoga = createYoga<{ http: FastifyRequest; reply: FastifyReply }, Context>({
    schema: buildSchema(gateway.credentials),
    graphqlEndpoint: GRAPHQL_PATH,
    landingPage: false,
    multipart: false,
    // Scripts of other sites read nothing here, least of all the demo's page with its token.
    cors: false,
    plugins: [refuseUnreadable, limitTokens, ...(open ? [] : [refuseIntrospection])],
    // What is a fault is logged where it is masked.
    logging: false,
    // A fault's text and stack never leave, whatever NODE_ENV says.
    maskedErrors: {
      isDev: false,
      maskError: (error) => mask(error, current.getStore()?.log ?? gateway.log),
    },
    graphiql: open && graphiqlOptions(gateway.credentials, examples),
    // Loaded on first use: it is large.
    renderGraphiQL: async (options) =>
      (await import('@graphql-yoga/render-graphiql')).renderGraphiQL(options ?? {}),
    context: async ({ http: request, reply }): Promise<Context> => {
      const actor = await gateway.authenticate(request.headers.authorization, request.ip);
      if (actor instanceof Refusal) request.refusal = actor;
      const organizationId = actor instanceof Refusal ? '' : actor.organizationId;
      return {
        gateway,
        requestId: request.id,
        actor,
        loaders: new Loaders(gateway.reader, organizationId),
        live: {
          begin: () => closeOf(reply.header('x-accel-buffering', 'no').raw),
          again: () => again(gateway, request),
          cut: () => void reply.raw.destroy(),
        },
      };
    },
  });

  app.register((scope, _options, done) => {
    // Yoga reads the body; its type and its limit are the server's.
    scope.removeAllContentTypeParsers();
    const limits = { parseAs: 'string', bodyLimit: GRAPHQL_BODY_BYTES_MAX } as const;
    scope.addContentTypeParser('application/json', limits, (_request, body, read) =>
      read(null, body),
    );
    scope.addHook('onRequest', async ({ headers }) => {
      // Yoga makes a URL of it.
      if (!URL.canParse(`http://${headers.host ?? 'localhost'}`)) throw new BadRequest('Host');
    });
    scope.route({
      method: [...GRAPHQL_METHODS],
      exposeHeadRoute: false,
      url: GRAPHQL_PATH,
      // Around the sending too: what goes on after the first answer may be a fault.
      preHandler: (request, _reply, next) => current.run(request, next),
      handler: (request, reply) =>
        yoga.handleNodeRequestAndResponse(request, reply, { http: request, reply }),
    });
    done();
  });
}

/** Who sent a request that goes on, read again: it is the same use of the token. */
async function again({ verify }: Gateway, { headers, ip }: FastifyRequest) {
  const token = bearerToken(headers.authorization);
  if (token instanceof Unauthenticated) return token;
  const verified = await verify(token, { address: ip, use: false, ongoing: true, kinds: callers });
  return verified instanceof Unauthenticated ? verified : actorOf(verified);
}

/** Aborts when an answer is complete, or its connection gone. */
function closeOf(response: ServerResponse): AbortSignal {
  const closing = new AbortController();
  if (response.closed || response.destroyed) closing.abort();
  else response.once('close', () => closing.abort());
  return closing.signal;
}

const limitTokens: Plugin = {
  onParse({ params, setParseFn }) {
    setParseFn((source, options) => {
      try {
        return parse(source, { ...options, ...params.options, maxTokens: GRAPHQL_TOKENS_MAX });
      } catch (error) {
        // The parser calls itself for each level.
        if (error instanceof RangeError) throw badRequest('The document is nested too deeply.');
        throw error;
      }
    });
  },
};

const badRequest = (message: string) =>
  new GraphQLError(message, { extensions: { code: 'BAD_REQUEST', http: { status: 400 } } });

const refuseIntrospection: Plugin = {
  onValidate({ addValidationRule }) {
    addValidationRule(NoSchemaIntrospectionCustomRule);
  },
};

/** What the server's error handler answers with 400. */
class BadRequest extends Error {
  readonly statusCode = 400;
}

/** Parameters of a URL that are no JSON: Yoga would take them for a fault. */
const refuseUnreadable: Plugin = {
  onRequestParse({ request, url }) {
    if (request.method !== 'GET') return;
    for (const name of ['variables', 'extensions']) {
      const text = url.searchParams.get(name);
      if (text !== null && text !== '' && !isJson(text)) {
        throw badRequest(`The parameter ${name} is no JSON.`);
      }
    }
  },
};

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** GraphQL's own errors are for the client; anything else is a fault, and stays in the log. */
function mask(error: unknown, log: FastifyBaseLogger): Error {
  if (error instanceof GraphQLError && isForClient(error.originalError)) {
    return error.extensions.code === 'BAD_REQUEST' ? notARequest(error) : error;
  }
  const cause = error instanceof GraphQLError ? error.originalError : error;
  const place = error instanceof GraphQLError ? { nodes: error.nodes, path: error.path } : {};
  if (isUnavailable(cause)) {
    log.warn({ err: cause }, 'unavailable');
    const headers = { 'retry-after': String(RETRY_AFTER_S) };
    return new GraphQLError('The gateway cannot answer for now. Try again.', {
      ...place,
      extensions: { code: 'UNAVAILABLE', http: { status: 503, headers } },
    });
  }
  log.error({ err: cause }, 'fault');
  return new GraphQLError('An unexpected error occurred.', {
    ...place,
    extensions: { code: 'INTERNAL_SERVER_ERROR' },
    // Where nothing was executed, Yoga answers with 500 for this.
    originalError: new Error('masked'),
  });
}

/** An HTTP error whatever the client accepts, without the JSON parser's text, which quotes the body. */
const notARequest = ({ message, extensions: { code, http } }: GraphQLError): GraphQLError =>
  new GraphQLError(message, { extensions: { code, http: { ...(http as object), spec: false } } });

const isForClient = (cause: unknown): boolean =>
  cause === undefined || cause === null || cause instanceof GraphQLError;
