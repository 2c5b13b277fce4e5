import type { Config } from '../config.ts';
import { GRAPHQL_BODY_BYTES_MAX } from '../graphql/mount.ts';
import { GRAPHQL_PATH } from '../graphql/path.ts';
import { tooManyRequests } from '../graphql/too-many-requests.ts';
import { json } from '../rest/dialect.ts';
import { gatewayAnswers } from '../rest/dialects/gateway.ts';
import { type JsonSchema, listOf, object, said, text, whole } from '../rest/json-schema.ts';
import { RETRY_AFTER_S } from '../unavailable.ts';
import { generalAnswers } from './general.ts';
import { type Answer, type Operation, requestTo, schemaNamed } from './operation.ts';

const anything = { type: 'object' };

/** What GraphQL answers, as its specification has it. */
export const graphqlSchemas: Record<string, JsonSchema> = {
  GraphqlAnswer: object(
    {
      data: said('What was asked for.', { type: ['object', 'null'] }),
      errors: listOf(
        object(
          {
            message: text,
            locations: listOf(object({ line: whole, column: whole })),
            path: listOf({ type: ['string', 'integer'] }),
            extensions: anything,
          },
          ['locations', 'path', 'extensions'],
        ),
      ),
      extensions: anything,
    },
    ['data', 'errors', 'extensions'],
  ),
};

const EVENTS = 'text/event-stream';
const types = ['application/json', 'application/graphql-response+json', EVENTS] as const;

type Type = (typeof types)[number];

/** The same as each of these types. */
const answers = (
  as: readonly Type[],
  status: number,
  what: string,
  body: object,
  headers: Record<string, string> = {},
): Answer[] =>
  as.map((type) =>
    type === EVENTS
      ? {
          ...{ name: String(status), what, schema: text },
          reply: {
            status,
            headers: { 'content-type': type, ...streamed, ...headers },
            body: `event: next\ndata: ${JSON.stringify(body)}\n\nevent: complete\ndata:\n\n`,
          },
        }
      : {
          ...{ name: String(status), what, schema: schemaNamed('GraphqlAnswer') },
          reply: json(status, type, body, headers),
        },
  );

const streamed = { 'cache-control': 'no-cache', 'content-encoding': 'none' };

const failed = (message: string, code?: string) => ({
  errors: [{ message, ...(code && { extensions: { code } }) }],
});

const example = { query: '{ me { name organization permissions } }' };

const bodySchema = object(
  {
    query: said('A document of GraphQL.', text),
    variables: { type: ['object', 'null'] },
    operationName: said('Which operation of the document, where it has several.', {
      type: ['string', 'null'],
    }),
    extensions: { type: ['object', 'null'] },
  },
  ['variables', 'operationName', 'extensions'],
);

/** GraphQL over HTTP; what can be asked is in its own schema. */
export function graphqlOperations(profile: Config['profile']): Operation[] {
  const common = { path: GRAPHQL_PATH, tag: 'GraphQL', security: [{ bearer: [] }, {}] };
  const open = profile === 'development';
  return [
    {
      ...{ ...common, method: 'POST', operationId: 'postGraphql' },
      summary: 'Ask GraphQL',
      description: 'GraphQL over HTTP. A subscription needs text/event-stream.',
      requestBody: { type: 'application/json', required: true, schema: bodySchema, example },
      answers: [...shared('POST', types), notAcceptable, notCalledJson],
    },
    {
      ...{ ...common, method: 'GET', operationId: 'getGraphql' },
      ...(open
        ? { summary: 'Ask GraphQL, without changing anything' }
        : { summary: 'Subscribe', description: 'Whatever accepts something else is posted.' }),
      parameters: [
        parameter('query', 'A document of GraphQL.', example.query),
        parameter('variables', 'As JSON.'),
        parameter('operationName', 'Which operation of the document, where it has several.'),
      ],
      answers: [
        ...(open ? [graphiql, ...shared('GET', types), notAcceptable] : shared('GET', [EVENTS])),
        ...answers(
          open ? types : [EVENTS],
          405,
          'A mutation is posted.',
          failed('Can only perform a mutation operation from a POST request.'),
          { allow: 'POST' },
        ),
        ...(open ? [] : [notPosted]),
      ],
    },
  ];
}

const shared = (method: string, as: readonly Type[]): Answer[] => [
  ...answers(as, 200, 'Carried out; refusals are part of the data.', {
    data: { me: { name: 'demo', organization: 'acme', permissions: ['organization:admin'] } },
  }),
  ...answers(
    as,
    400,
    'The document cannot be carried out.',
    failed('Must provide query string.', 'BAD_REQUEST'),
    { allow: 'GET, POST' },
  ),
  {
    ...{ name: 'no-host', what: 'The request cannot be read.', schema: schemaNamed('Problem') },
    reply: gatewayAnswers.badRequest(requestTo(method, GRAPHQL_PATH), 400),
  },
  ...general(method),
  {
    ...{ name: 'too-many-requests', what: 'More is asked than RATE_LIMITS allow.' },
    schema: schemaNamed('GraphqlAnswer'),
    reply: json(429, 'application/json', tooManyRequests(RETRY_AFTER_S), {
      'retry-after': String(RETRY_AFTER_S),
    }),
  },
  ...answers(
    as,
    500,
    'A fault: the log has it under the request id.',
    failed('An unexpected error occurred.', 'INTERNAL_SERVER_ERROR'),
  ),
  ...answers(
    as,
    503,
    'The gateway cannot do it for now.',
    failed('The gateway cannot answer for now. Try again.', 'UNAVAILABLE'),
    { 'retry-after': String(RETRY_AFTER_S) },
  ),
];

const notAcceptable: Answer = {
  ...{ name: 'not-acceptable', what: 'No type of answer is accepted that there is.' },
  reply: { status: 406, headers: { accept: types.join(', ') }, body: '' },
};

const notCalledJson: Answer = {
  ...{ name: 'no-json', what: 'The body is not called JSON.', schema: schemaNamed('Problem') },
  reply: gatewayAnswers.badRequest(requestTo('POST', GRAPHQL_PATH), 415),
};

const notPosted: Answer = {
  ...{ name: 'not-posted', what: 'Queries are posted.', schema: schemaNamed('Problem') },
  reply: gatewayAnswers.badRequest(requestTo('GET', GRAPHQL_PATH), 405),
};

const general = (method: string) =>
  generalAnswers({
    ...{ method, path: GRAPHQL_PATH, words: gatewayAnswers, prefix: '/' },
    ...{ schema: schemaNamed('Problem') },
    bodyBytesMax: method === 'POST' ? GRAPHQL_BODY_BYTES_MAX : undefined,
    // These it words itself.
    ...{ limited: false, fails: false },
  });

const graphiql: Answer = {
  ...{ name: 'graphiql', what: 'GraphiQL, for a browser.', schema: text },
  reply: { status: 200, headers: { 'content-type': 'text/html' }, body: '<!doctype html>…' },
};

const parameter = (name: string, description: string, example?: string) => ({
  ...{ name, in: 'query' as const, description, schema: text },
  ...(example !== undefined && { example }),
});
