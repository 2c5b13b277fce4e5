import { normalizedExecutor } from '@graphql-tools/executor';
import type { FastifyRequest } from 'fastify';
import {
  type DocumentNode,
  type ExecutionResult,
  type GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  OperationTypeNode,
} from 'graphql';
import { acceptedType } from './accepted-type.ts';
import type { Context } from './builder.ts';
import type { Documents, Read } from './documents.ts';
import type { Plan } from './plan.ts';
import { wrongVariables } from './variables.ts';

/** What an operation came to. */
export interface Outcome {
  readonly result: ExecutionResult;
  /** The body of the answer; missing where there are errors, whose status and words are Yoga's. */
  readonly body?: string;
}

/** How far a request was brought; Yoga goes on from there. */
export interface Taken {
  /** The document, where it was read. */
  readonly read?: Read;
  /** The operation, where it was carried out. */
  readonly outcome?: Promise<Outcome>;
  /** What the answer is called. */
  readonly type?: string;
}

interface Asked {
  /** Of the request, beside the document. */
  readonly chars: number;
  readonly query: string;
  readonly variables?: Record<string, unknown> | null;
  readonly operationName?: string | null;
}

interface Parts {
  readonly path: string;
  readonly schema: GraphQLSchema;
  readonly documents: Documents;
  readonly contextOf: () => Promise<Context>;
  readonly mask: (error: unknown) => GraphQLError;
  readonly hideSuggestions: boolean;
}

/**
 * Carries out a well-formed POST of JSON that queries or mutates, by the executor that Yoga uses.
 * Whatever else it is given, and whatever has errors, is left to Yoga.
 */
export function takeShortPath(request: FastifyRequest, parts: Parts): Taken {
  const type = acceptedType(request.headers.accept);
  const asked = type !== undefined && isPostOfJson(request, parts.path) && readBody(request.body);
  if (!type || !asked) return {};
  const read = parts.documents(asked.query);
  const { document, errors } = read;
  if (document === undefined || errors.length > 0) return { read };
  const operation = getOperationAST(document, asked.operationName);
  if (operation == null || operation.operation === OperationTypeNode.SUBSCRIPTION) return { read };
  const wrong = wrongVariables(parts.schema, operation, asked.variables, asked.chars);
  if (wrong !== undefined) return { read: { ...read, errors: [wrong] } };
  return { read, type, outcome: carryOut(document, read.plans?.(operation), asked, parts) };
}

async function carryOut(
  document: DocumentNode,
  plan: Plan | undefined,
  { variables, operationName }: Asked,
  { schema, contextOf, mask, hideSuggestions }: Parts,
): Promise<Outcome> {
  const contextValue = await contextOf();
  const variableValues = variables ?? {};
  const result =
    plan === undefined
      ? ((await normalizedExecutor({
          ...{ schema, document, contextValue, variableValues, hideSuggestions },
          operationName: operationName ?? null,
        })) as ExecutionResult)
      : await plan(contextValue, variableValues);
  if (result.errors === undefined) return { result, body: JSON.stringify(result) };
  return { result: { ...result, errors: result.errors.map(mask) } };
}

function isPostOfJson({ method, raw, headers }: FastifyRequest, path: string): boolean {
  const [given] = (raw.url ?? '').split('?', 1);
  return (
    method === 'POST' &&
    given === path &&
    /^application\/json(;|$)/.test(headers['content-type'] ?? '')
  );
}

const parameters = new Set(['query', 'variables', 'operationName', 'extensions']);

/** What is asked, if it is asked as it should be. */
function readBody(body: unknown): Asked | undefined {
  if (typeof body !== 'string') return undefined;
  const asked = parseJson(body);
  if (!isObject(asked)) return undefined;
  const { query, variables, operationName, extensions } = asked;
  const known = Object.keys(asked).every((name) => asked[name] == null || parameters.has(name));
  const objects = [variables, extensions].every((value) => value == null || isObject(value));
  if (!known || !objects || typeof query !== 'string') return undefined;
  const chars = body.length - query.length;
  return { chars, query, variables, operationName } as Asked;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
