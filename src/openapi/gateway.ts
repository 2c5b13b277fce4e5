import type { Config } from '../config.ts';
import { GRAPHQL_PATH } from '../graphql/path.ts';
import { json } from '../rest/dialect.ts';
import { gatewayAnswers } from '../rest/dialects/gateway.ts';
import { type JsonSchema, object, said, text } from '../rest/json-schema.ts';
import { RETRY_AFTER_S } from '../unavailable.ts';
import { generalAnswers } from './general.ts';
import { type Answer, type Operation, requestTo, schemaNamed } from './operation.ts';
import { fileHeaders, pageHeaders } from './page.ts';
import { API_PAGE_PATH, OPENAPI_PATH } from './paths.ts';

const type = 'application/json; charset=utf-8';

const live: Answer = {
  ...{ name: 'done', what: 'It does.', schema: object({ status: { const: 'ok' } }) },
  reply: json(200, type, { status: 'ok' }),
};

const oneOf = (...words: readonly string[]): JsonSchema => ({ type: 'string', enum: words });

const readiness = object({
  status: said(
    'degraded: it works, and somebody should look.',
    oneOf('ok', 'degraded', 'unavailable'),
  ),
  checks: object(
    {
      database: oneOf('ok', 'unavailable'),
      outbox: said(
        'Whether every target learns of everything in time.',
        oneOf('ok', 'degraded', 'unknown'),
      ),
      disk: said('Where it is the own one of the gateway.', oneOf('ok', 'degraded', 'unknown')),
    },
    ['disk'],
  ),
});

const ready = (
  name: string,
  what: string,
  [code, status, outbox]: readonly [number, string, string],
  headers = {},
): Answer => {
  const database = code === 200 ? 'ok' : status;
  const body = { status, checks: { database, outbox, disk: 'ok' } };
  return { ...{ name, what, schema: readiness }, reply: json(code, type, body, headers) };
};

const kept = { 'cache-control': 'no-cache', etag: '"dQw4w9WgXcQ"' };
const unchanged: Answer = {
  ...{ name: 'unchanged', what: 'It is what If-None-Match names.' },
  reply: { status: 304, headers: kept, body: '' },
};
const ifNoneMatch = {
  ...{ name: 'If-None-Match', in: 'header' as const, schema: text },
  description: 'The ETag of what the client has.',
};

/** Whether the gateway is well, and how it describes itself. */
export const gatewayOperations = (profile: Config['profile']): Operation[] => [
  get('/', 'goToGraphiql', 'Go to GraphiQL', [
    {
      ...{ name: 'done', what: 'It is there.' },
      reply: { status: 302, headers: { location: GRAPHQL_PATH }, body: '' },
    },
  ]),
  get('/health/live', 'getLiveness', 'Ask whether the gateway runs', [live]),
  {
    ...get('/health/ready', 'getReadiness', 'Ask whether the gateway can do its work', [
      ready('done.ok', 'It can.', [200, 'ok', 'ok']),
      ready('done.degraded', 'It can, and somebody should look.', [200, 'degraded', 'degraded']),
      {
        ...{ name: 'fault', what: 'A fault: the log has it under the request id.' },
        schema: schemaNamed('Problem'),
        reply: gatewayAnswers.fault(requestTo('GET', '/health/ready')),
      },
      ready('unavailable', 'The database cannot be used.', [503, 'unavailable', 'unknown'], {
        'retry-after': String(RETRY_AFTER_S),
      }),
    ]),
    description: 'It reads from the database and writes to it.',
  },
  {
    ...get(OPENAPI_PATH, 'getOpenapi', 'Read this description', [
      file('application/json', '{}', { type: 'object' }),
      unchanged,
    ]),
    parameters: [ifNoneMatch],
  },
  ...(profile === 'development' ? pageOperations : []),
];

const file = (type: string, body: string, schema: JsonSchema, headers = {}): Answer => ({
  ...{ name: 'done', what: 'It.', schema },
  reply: { status: 200, headers: { 'content-type': type, ...kept, ...headers }, body },
});

const noFile: Answer = {
  ...{ name: 'not-found', what: 'The page has no such file.', schema: schemaNamed('Problem') },
  reply: gatewayAnswers.unknownPath({
    id: 'req-7HkQ2vXcM0aZt9',
    method: 'GET',
    path: '/docs/api/nothing',
  }),
};

const pageOperations: readonly Operation[] = [
  {
    ...get(API_PAGE_PATH, 'getApiPage', 'Open the page that tries this out', [
      file('text/html; charset=utf-8', '<!doctype html>…', text, pageHeaders),
      unchanged,
    ]),
    description: 'With PROFILE=development alone. It works offline.',
    parameters: [ifNoneMatch],
  },
  {
    ...get(`${API_PAGE_PATH}/{file}`, 'getApiPageFile', 'Read a file of that page', [
      file('text/javascript; charset=utf-8', '…', text, fileHeaders),
      file('text/css; charset=utf-8', '…', text, fileHeaders),
      unchanged,
      noFile,
    ]),
    parameters: [
      {
        ...{ name: 'file', in: 'path', required: true, description: 'Its name.', schema: text },
        example: 'swagger-ui.css',
      },
      ifNoneMatch,
    ],
  },
];

function get(
  path: string,
  operationId: string,
  summary: string,
  answers: readonly Answer[],
): Operation {
  const method = 'GET';
  const schema = schemaNamed('Problem');
  const general = generalAnswers({
    ...{ method, path, words: gatewayAnswers, prefix: '/', schema, fails: false },
    limited: !path.startsWith('/health/'),
  });
  return {
    ...{ method, path, tag: 'Gateway', operationId, summary, security: [] },
    answers: [...answers, ...general],
  };
}
