import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Gateway } from '../gateway.ts';
import { logOf } from '../request-log.ts';
import { createContext } from './context.ts';
import { createDocuments } from './documents.ts';
import { mask } from './mask.ts';
import type { GraphqlOptions } from './mount.ts';
import { GRAPHQL_PATH } from './path.ts';
import { rulesOf } from './rules.ts';
import { schemaOf } from './schema.ts';
import { takeShortPath } from './short-path.ts';
import type { Yoga } from './yoga.ts';

/** Answers a request for GraphQL. */
export type Handler = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;

/** By the short path what goes there, and by Yoga the rest; Yoga is loaded when there is some. */
export function createHandler(gateway: Gateway, options: GraphqlOptions): Handler {
  const schema = schemaOf(gateway.credentials);
  const documents = createDocuments(schema, rulesOf(options.profile));
  let yoga: Promise<Yoga> | undefined;
  const load = () => {
    yoga ??= import('./yoga.ts').then(({ createGraphqlYoga }) =>
      createGraphqlYoga(gateway, { ...options, schema, documents }),
    );
    return yoga;
  };
  const take = (request: FastifyRequest, reply: FastifyReply) =>
    takeShortPath(request, {
      path: GRAPHQL_PATH,
      schema,
      documents,
      contextOf: () => createContext(gateway, request, reply),
      hideSuggestions: options.profile === 'production',
      mask: (error) => mask(error, logOf(request)),
    });

  return async (request, reply) => {
    const taken = options.shortPath === false ? {} : take(request, reply);
    // What it throws is thrown again in Yoga, which has an answer.
    const outcome = await taken.outcome?.catch(() => undefined);
    if (outcome?.body === undefined) return (await load())(request, reply, taken);
    reply.header('content-type', `${taken.type}; charset=utf-8`);
    return outcome.body;
  };
}
