import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { type AnyCredential, credentials } from '../src/credentials/kinds.ts';
import { documentOf } from '../src/openapi/document.ts';
import type { Answer } from './harness.ts';

/** The OpenAPI document, and what it says of answers. */

export interface Described {
  readonly operationId: string;
  readonly summary?: string;
  readonly tags: readonly string[];
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly description?: string;
    readonly schema: object;
    readonly example?: unknown;
  }[];
  readonly requestBody?: { readonly content: Record<string, { schema: object; example: unknown }> };
  readonly responses: Readonly<Record<string, ResponseOrReference>>;
}

export interface Response {
  readonly description: string;
  readonly headers: Readonly<Record<string, object>>;
  readonly content?: Readonly<
    Record<string, { schema: object; examples: Record<string, { value: unknown }> }>
  >;
}

type ResponseOrReference = Response | { readonly $ref: string };

export interface OpenapiDocument {
  readonly openapi: string;
  readonly info: { readonly version: string };
  readonly servers: readonly { readonly url: string }[];
  readonly tags: readonly { readonly name: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
  readonly components: Readonly<Record<string, Readonly<Record<string, object>>>>;
}

export const routesOf = (kinds: readonly AnyCredential[]) =>
  kinds.flatMap(({ rest, routes = [] }) => [...(rest === undefined ? [] : [rest]), ...routes]);

/** The document of a gateway with the settings that it has unless they are said. */
export const describeAll = (
  options: Partial<Parameters<typeof documentOf>[0]> = {},
): OpenapiDocument =>
  documentOf({
    ...{ routes: routesOf(credentials), publicUrl: 'http://localhost:8080' },
    profile: 'development',
    ...options,
  }) as OpenapiDocument;

/** An operation of the document, and where it is. */
export interface Place extends Described {
  readonly method: string;
  readonly path: string;
}

export const placesIn = ({ paths }: OpenapiDocument): readonly Place[] =>
  Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([method]) => method !== 'servers')
      .map(([method, operation]) => ({ ...operation, method: method.toUpperCase(), path })),
  );

const pointed = (document: object, pointer: string): unknown =>
  pointer
    .slice('#/'.length)
    .split('/')
    .reduce<unknown>((at, name) => (at as Record<string, unknown>)[name], document);

export const responseIn = (document: OpenapiDocument, at: Place, status: number) => {
  const response = at.responses[status];
  if (response === undefined || !('$ref' in response)) return response;
  return pointed(document, response.$ref) as Response;
};

/** Compiles schemas of the document; those of objects say of no member that it may be there unsaid. */
export function compilerOf(
  document: OpenapiDocument,
): (schema: object) => (value: unknown) => string {
  const known = compilers.get(document);
  if (known !== undefined) return known;
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  formats.default(ajv as never);
  const { schemas } = document.components;
  const compiled = new WeakMap<object, (value: unknown) => string>();
  const compile = (schema: object) => {
    const validate = ajv.compile(closed({ ...schema, components: { schemas } }) as object);
    const check = (value: unknown) => (validate(value) ? '' : ajv.errorsText(validate.errors));
    compiled.set(schema, check);
    return check;
  };
  const compiler = (schema: object) => compiled.get(schema) ?? compile(schema);
  compilers.set(document, compiler);
  return compiler;
}

const compilers = new WeakMap<OpenapiDocument, ReturnType<typeof compilerOf>>();

/** What is written without its members being said may have any. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== 'object' || schema === null) return schema;
  const inner = Object.fromEntries(Object.entries(schema).map(([key, at]) => [key, closed(at)]));
  return 'properties' in schema && !('additionalProperties' in schema)
    ? { ...inner, additionalProperties: false }
    : inner;
}

/** Headers that are HTTP's own. */
const unsaid = new Set([
  ...['connection', 'content-length', 'content-type', 'date', 'keep-alive', 'transfer-encoding'],
  ...['x-accel-buffering'],
  // What every answer says to browsers.
  ...['content-security-policy', 'referrer-policy', 'strict-transport-security'],
  ...['x-content-type-options', 'x-frame-options'],
]);

/** What is wrong with an answer, as the document describes the operation; nothing: an empty text. */
export function misfit(document: OpenapiDocument, at: Place, answer: Answer): string {
  const { status, headers, body } = answer;
  const response = responseIn(document, at, status);
  if (response === undefined) return `${status} is not described: ${body.slice(0, 200)}`;
  const said = Object.keys(response.headers).map((name) => name.toLowerCase());
  const more = Object.keys(headers).filter((name) => !unsaid.has(name) && !said.includes(name));
  if (more.length > 0) return `${status} has the header ${more}`;
  const [type = ''] = (headers['content-type'] ?? '').split(';');
  if (body === '') return '';
  const content = response.content?.[type];
  if (content === undefined) return `${status} is ${type}: ${body.slice(0, 200)}`;
  const value: unknown = /\bjson\b/.test(type) ? JSON.parse(body) : body;
  const wrong = compilerOf(document)(content.schema)(value);
  return wrong === '' ? '' : `${status} ${wrong}: ${body.slice(0, 300)}`;
}
