import type { FastifyReply, FastifyRequest } from 'fastify';
import type { GraphQLSchema } from 'graphql';
import { createYoga, type Plugin } from 'graphql-yoga';
import type { Gateway } from '../gateway.ts';
import { logOf } from '../request-log.ts';
import { badRequest } from './bad-request.ts';
import type { Context } from './builder.ts';
import { createContext } from './context.ts';
import type { Documents, Read } from './documents.ts';
import { graphiqlOptions } from './examples.ts';
import { mask } from './mask.ts';
import type { HandlerOptions } from './mount.ts';
import { GRAPHQL_PATH } from './path.ts';
import type { Taken } from './short-path.ts';

/** Answers what the short path leaves; `taken` is how far that has come. */
export type Yoga = (request: FastifyRequest, reply: FastifyReply, taken: Taken) => unknown;

export interface YogaOptions extends HandlerOptions {
  readonly schema: GraphQLSchema;
  readonly documents: Documents;
}

interface Served {
  readonly http: FastifyRequest;
  readonly reply: FastifyReply;
  /** What the short path has done of the work. */
  readonly taken: Taken;
}

/** Yoga, for whatever GraphQL over HTTP has beside a POST of JSON, and for all refusals of requests. */
export function createGraphqlYoga(
  gateway: Gateway,
  { profile, examples, schema, documents, current }: YogaOptions,
): Yoga {
  const open = profile === 'development';
  const yoga = createYoga<Served, Context>({
    schema,
    graphqlEndpoint: GRAPHQL_PATH,
    landingPage: false,
    multipart: false,
    // Scripts of other sites read nothing here, least of all the demo's page with its token.
    cors: false,
    plugins: [refuseUnreadable, goOn, readBy(documents), ...(open ? [] : [hideSuggestions])],
    parserAndValidationCache: false,
    // What is a fault is logged where it is masked.
    logging: false,
    // A fault's text and stack never leave, whatever NODE_ENV says.
    maskedErrors: {
      isDev: false,
      maskError: (error) => {
        const request = current.getStore();
        return mask(error, request === undefined ? gateway.log : logOf(request));
      },
    },
    graphiql: open && graphiqlOptions(gateway.credentials, examples),
    // Loaded on first use: it is large.
    renderGraphiQL: async (options) =>
      (await import('@graphql-yoga/render-graphiql')).renderGraphiQL(options ?? {}),
    context: ({ http, reply }) => createContext(gateway, http, reply),
  });

  return (request, reply, taken) =>
    yoga.handleNodeRequestAndResponse(request, reply, { http: request, reply, taken });
}

/** Takes up what the short path has carried out, so that nothing is carried out twice. */
const goOn: Plugin<object, Served> = {
  async onParams({ context: { taken }, setResult }) {
    const outcome = await taken.outcome;
    if (outcome !== undefined) setResult(outcome.result);
  },
};

/** Has documents parsed and validated where the short path has it done. */
const readBy = (documents: Documents): Plugin<Served & { read?: Read }> => ({
  onParse({ context, params: { source }, extendContext, setParseFn }) {
    const read = context.taken.read ?? documents(String(source));
    extendContext({ read });
    setParseFn(() => {
      if (read.document === undefined) throw read.errors[0];
      return read.document;
    });
  },
  onValidate({ context, setResult }) {
    setResult(context.read?.errors ?? []);
  },
});

/** Has what variables are wrong about say no names that nobody was told. */
const hideSuggestions: Plugin = {
  onExecute({ args }) {
    Object.assign(args, { hideSuggestions: true });
  },
  onSubscribe({ args }) {
    Object.assign(args, { hideSuggestions: true });
  },
};

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
