import type { AnyCredential } from '../src/credentials/kinds.ts';
import { problemBody } from '../src/rest/dialects/gateway.ts';
import type { Answer } from './harness.ts';
import { compilerOf, type OpenapiDocument, routesOf } from './openapi.ts';

/** How each part of the paths words what went wrong. */

interface Words {
  readonly prefix: string;
  readonly types: readonly string[];
  readonly schema: object;
}

const text = { type: 'string' };

const oauth: Words = {
  prefix: '/oauth',
  types: ['application/json'],
  schema: {
    type: 'object',
    properties: { error: text, error_description: text },
    required: ['error', 'error_description'],
  },
};

const graphql: Words = {
  prefix: '/graphql',
  types: ['application/json', 'application/graphql-response+json', 'application/problem+json'],
  schema: {
    anyOf: [
      problemBody,
      {
        type: 'object',
        properties: {
          data: {},
          errors: {
            type: 'array',
            minItems: 1,
            items: {
              type: 'object',
              properties: { message: text, locations: {}, path: {}, extensions: {} },
              required: ['message'],
            },
          },
        },
        required: ['errors'],
      },
    ],
  },
};

const gateway: Words = { prefix: '', types: ['application/problem+json'], schema: problemBody };

const wordsOf = new WeakMap<readonly AnyCredential[], readonly Words[]>();

/** The words of each product, by the beginning of its paths; a product that is added has its own. */
function wordsFor(kinds: readonly AnyCredential[]): readonly Words[] {
  const known = wordsOf.get(kinds);
  if (known !== undefined) return known;
  const dialects = new Set(routesOf(kinds).map(({ dialect }) => dialect));
  const words = [...dialects].map(({ prefix, errorBody, general }): Words => {
    const { headers } = general.unknownPath({ id: 'req-x', method: 'GET', path: prefix });
    return { prefix, schema: errorBody, types: [headers['content-type'] ?? ''] };
  });
  wordsOf.set(kinds, [...words, oauth, graphql, gateway]);
  return [...words, oauth, graphql, gateway];
}

/** What is wrong with how a no is worded on a path; nothing: an empty text. */
export function general(
  kinds: readonly AnyCredential[],
  { path, document }: { path: string; document: OpenapiDocument },
  { status, headers, body }: Answer,
): string {
  const words = wordsFor(kinds).find(
    ({ prefix }) => prefix === '' || path === prefix || path.startsWith(`${prefix}/`),
  );
  if (words === undefined) return `Nobody words ${path}`;
  // An answer to HEAD has none, and neither has one to whoever accepts none that there is.
  if (body === '' && (headers['content-length'] !== '0' || status === 406)) return '';
  const type = headers['content-type'] ?? '';
  if (words === graphql && type === 'text/event-stream') {
    const [, data] = /^event: next\ndata: ([^\n]+)\n/m.exec(body) ?? [];
    return data === undefined
      ? 'There is no event'
      : compilerOf(document)(words.schema)(JSON.parse(data));
  }
  const is = (known: string) => type === known || type === `${known}; charset=utf-8`;
  if (!words.types.some(is)) return `${words.prefix || 'the gateway'} does not say ${type}`;
  try {
    return compilerOf(document)(words.schema)(JSON.parse(body));
  } catch (error) {
    return String(error);
  }
}
