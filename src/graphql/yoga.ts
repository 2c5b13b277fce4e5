import { AsyncLocalStorage } from 'node:async_hooks';
import type { FastifyReply, FastifyRequest } from 'fastify';
import {
  type ExecutionArgs,
  type ExecutionResult,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
} from 'graphql';
import { createYoga, type Plugin } from 'graphql-yoga';
import type { Gateway } from '../gateway.ts';
import { logOf } from '../request-log.ts';
import { badRequest } from './bad-request.ts';
import type { Context } from './builder.ts';
import { createContext } from './context.ts';
import type { Documents, Read } from './documents.ts';
import { graphiqlOptions } from './examples.ts';
import { mask } from './mask.ts';
import type { GraphqlOptions } from './mount.ts';
import { GRAPHQL_PATH } from './path.ts';
import type { Taken } from './short-path.ts';
import { wrongVariables } from './variables.ts';

/** Answers what the short path leaves; `taken` is how far that has come. */
export type Yoga = (request: FastifyRequest, reply: FastifyReply, taken: Taken) => unknown;

export interface YogaOptions extends GraphqlOptions {
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
  { profile, examples, schema, documents }: YogaOptions,
): Yoga {
  // Where a fault is masked, its request is not at hand otherwise.
  const current = new AsyncLocalStorage<FastifyRequest>();
  const open = profile === 'development';
  const yoga = createYoga<Served, Context>({
    schema,
    graphqlEndpoint: GRAPHQL_PATH,
    landingPage: false,
    multipart: false,
    // Scripts of other sites read nothing here, least of all the demo's page with its token.
    cors: false,
    plugins: [
      ...[refuseUnreadable, goOn, readBy(documents), readVariables(!open)],
      ...(open ? [] : [refuseQueriesByGet]),
    ],
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

  return (request, reply, taken) => {
    const { raw, method, headers, query } = request;
    const asked = { raw, method, headers, query, body: bodyOf(request) };
    // Around the sending too: what goes on after the first answer may be a fault.
    return current.run(request, async () =>
      reply.send(
        await yoga.handleNodeRequestAndResponse(asked, reply, { http: request, reply, taken }),
      ),
    );
  };
}

/** A text as a stream of one part: of a text itself each character would be made a key. */
function bodyOf({ body }: FastifyRequest): unknown {
  if (typeof body !== 'string' || body === '') return body;
  const parts = [Buffer.from(body)];
  return {
    parts,
    async *[Symbol.asyncIterator]() {
      yield* parts;
    },
  };
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

/** An operation that is about to be carried out. */
interface Executed {
  readonly args: ExecutionArgs & { contextValue?: unknown };
  setResultAndStopExecution(result: ExecutionResult): void;
}

/** Refuses variables as the short path does, and has the executor suggest no names that nobody was told. */
function readVariables(hideSuggestions: boolean): Plugin<Served> {
  const read = ({ args, setResultAndStopExecution }: Executed) => {
    Object.assign(args, { hideSuggestions });
    const { schema, document, operationName, variableValues, contextValue } = args;
    const { body, raw } = (contextValue as Served).http;
    const { length } = typeof body === 'string' ? body : (raw.url ?? '');
    const chars = length - (document.loc?.end ?? 0);
    const operation = getOperationAST(document, operationName);
    const wrong = operation && wrongVariables(schema, operation, variableValues, chars);
    if (wrong) setResultAndStopExecution({ errors: [wrong] });
  };
  return { onExecute: read, onSubscribe: read };
}

/** Only what nobody is told unasked comes by GET: `refuseGet` lets through who accepts streams of events. */
const refuseQueriesByGet: Plugin<Served> = {
  onExecute({ args, setResultAndStopExecution }) {
    if ((args.contextValue as Served).http.method !== 'GET') return;
    const http = { status: 405, headers: { allow: 'POST' } };
    const error = new GraphQLError('Queries come by POST.', { extensions: { http } });
    setResultAndStopExecution({ errors: [error] });
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
