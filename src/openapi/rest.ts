import type { Described } from '../rest/described.ts';
import type { JsonSchema } from '../rest/json-schema.ts';
import { REST_BODY_BYTES_MAX } from '../rest/mount.ts';
import type { RestRoute } from '../rest/route.ts';
import { generalAnswers } from './general.ts';
import {
  type Answer,
  type Operation,
  type Parameter,
  type RequestBody,
  requestTo,
  schemaNamed,
} from './operation.ts';
import { samplesOf } from './refusals.ts';

/** What a vendor's route does, once for each of its paths. */
export function operationsOf(route: RestRoute): Operation[] {
  const { described, dialect, method, paths } = route;
  const { operationId, summary, description, permissions } = described;
  return paths.map((url, i) => ({
    method,
    path: templateOf(url),
    tag: dialect.vendor,
    // The first path is the documented one; another is that without its last slash.
    operationId: i === 0 ? operationId : `${operationId}WithoutSlash`,
    ...{ summary, description },
    security: permissions === undefined ? [] : [{ bearer: permissions }],
    ...said(route, url),
    answers: answersOf(route, url),
  }));
}

const templateOf = (url: string) => url.replace(/:(\w+)/g, '{$1}');

/** What a request says: in its path, and in its query or body. */
function said(
  { described, method, body = false }: RestRoute,
  url: string,
): { parameters: Parameter[]; requestBody: RequestBody | undefined } {
  const { properties = {}, required = [] } = described.reads() as {
    properties?: Record<string, JsonSchema>;
    required?: string[];
  };
  const isInPath = (name: string) => new RegExp(`:${name}(?!\\w)`).test(url);
  const parameter = (name: string, inPath: boolean): Parameter => {
    const { description = '', ...schema } = properties[name] as { description?: string };
    const example = described.example[name];
    return {
      name,
      in: inPath ? 'path' : 'query',
      ...((inPath || required.includes(name)) && { required: true }),
      ...{ description, schema },
      ...(example !== undefined && { example }),
    };
  };
  const [inPath, others] = partition(Object.keys(properties), isInPath);
  const inQuery = method === 'GET' ? others : [];
  const parameters = [
    ...inPath.map((name) => parameter(name, true)),
    ...inQuery.map((name) => parameter(name, false)),
  ];
  if (!body) return { parameters, requestBody: undefined };
  const needed = required.filter((name) => others.includes(name));
  const of = <T>(all: Readonly<Record<string, T>>) =>
    Object.fromEntries(Object.entries(all).filter(([name]) => others.includes(name)));
  const schema = {
    type: 'object',
    properties: of(properties),
    ...(needed.length > 0 && { required: needed }),
  };
  const requestBody = {
    type: 'application/json',
    required: needed.length > 0,
    schema,
    example: of(described.example),
  };
  return { parameters, requestBody };
}

function partition<T>(all: readonly T[], belongs: (each: T) => boolean): [T[], T[]] {
  return [all.filter(belongs), all.filter((each) => !belongs(each))];
}

function answersOf({ described, dialect, method, body }: RestRoute, url: string): Answer[] {
  const path = templateOf(url);
  const asked = filled(url, described);
  const request = requestTo(method, asked);
  const schema = schemaNamed(errorName(dialect));
  const given = { invalid: described.invalid(), permissions: described.permissions ?? [] };
  return [
    {
      name: 'done',
      what: 'Done.',
      reply: described.done(request),
      schema: described.body,
    },
    ...described.refusals
      .flatMap((refusalClass) => samplesOf(refusalClass, given))
      .map(({ refusal, ...sample }) => ({
        ...{ ...sample, schema },
        reply: described.refused(refusal, request),
      })),
    ...(described.others?.(request) ?? []).map(([what, reply], i) => ({
      name: `other.${i + 1}`,
      ...{ what, reply, schema },
    })),
    ...generalAnswers({
      ...{ method, path, asked, schema, words: dialect.general, prefix: dialect.prefix },
      bodyBytesMax: body ? REST_BODY_BYTES_MAX : undefined,
    }),
  ];
}

/** The schema of a dialect's errors, by its name among the components. */
export const errorName = ({ vendor }: { readonly vendor: string }) => `${vendor}Error`;

/** A path as a request has it. */
const filled = (url: string, { example }: Described): string =>
  url.replace(/:(\w+)/g, (_whole, name: string) => encodeURIComponent(String(example[name])));
