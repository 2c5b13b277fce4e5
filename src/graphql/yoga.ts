import type { FastifyInstance, FastifyRequest } from 'fastify';
import { GraphQLError } from 'graphql';
import { createYoga } from 'graphql-yoga';
import { Loaders } from '../credentials/load.ts';
import type { Gateway } from '../gateway.ts';
import { Refusal } from '../refusals.ts';
import { Unavailable } from '../unavailable.ts';
import type { Context } from './builder.ts';
import { type Examples, exampleOperations } from './examples.ts';
import { buildSchema } from './schema.ts';

export const GRAPHQL_PATH = '/graphql';

/** The longest body of a GraphQL request, in bytes; beyond it the answer is 413. */
export const GRAPHQL_BODY_BYTES_MAX = 1024 * 1024;

/** Mounts GraphQL over HTTP and, for browsers, GraphiQL. */
export function mountGraphql(app: FastifyInstance, gateway: Gateway, examples?: Examples): void {
  const yoga = createYoga<{ http: FastifyRequest }, Context>({
    schema: buildSchema(gateway.credentials),
    graphqlEndpoint: GRAPHQL_PATH,
    landingPage: false,
    multipart: false,
    // What is a fault is logged where it is masked.
    logging: false,
    // A fault's text and stack never leave, whatever NODE_ENV says.
    maskedErrors: { isDev: false, maskError: (error) => mask(error, gateway) },
    graphiql: {
      title: 'Revocation gateway',
      defaultQuery: exampleOperations(gateway.credentials, examples),
      headers: JSON.stringify({ authorization: `Bearer ${examples?.token ?? '<token>'}` }),
    },
    // Loaded on first use: it is large.
    renderGraphiQL: async (options) =>
      (await import('@graphql-yoga/render-graphiql')).renderGraphiQL(options ?? {}),
    context: async ({ http: request }): Promise<Context> => {
      const actor = await gateway.authenticate(request.headers.authorization);
      const organizationId = actor instanceof Refusal ? '' : actor.organizationId;
      return {
        gateway,
        requestId: request.id,
        actor,
        loaders: new Loaders(gateway.reader, organizationId),
      };
    },
  });

  app.register((scope, _options, done) => {
    // Yoga reads the body; the limit is the server's.
    scope.removeAllContentTypeParsers();
    const limits = { parseAs: 'string', bodyLimit: GRAPHQL_BODY_BYTES_MAX } as const;
    scope.addContentTypeParser('*', limits, (_request, body, read) => read(null, body));
    scope.route({
      method: ['GET', 'POST', 'OPTIONS'],
      url: GRAPHQL_PATH,
      handler: (request, reply) =>
        yoga.handleNodeRequestAndResponse(request, reply, { http: request }),
    });
    done();
  });
}

/** GraphQL's own errors are for the client; anything else is a fault, and stays in the log. */
function mask(error: unknown, gateway: Gateway): Error {
  if (error instanceof GraphQLError && isForClient(error.originalError)) return error;
  const cause = error instanceof GraphQLError ? error.originalError : error;
  if (cause instanceof Unavailable) {
    return new GraphQLError('The gateway cannot answer for now. Try again.', {
      extensions: { code: 'UNAVAILABLE', http: { status: 503 } },
    });
  }
  gateway.log.error({ err: cause }, 'fault');
  return new GraphQLError('An unexpected error occurred.', {
    extensions: { code: 'INTERNAL_SERVER_ERROR' },
  });
}

const isForClient = (cause: unknown): boolean =>
  cause === undefined || cause === null || cause instanceof GraphQLError;
