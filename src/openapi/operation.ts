import type { Reply, RestRequest } from '../rest/dialect.ts';
import type { JsonSchema } from '../rest/json-schema.ts';

/** An answer that an operation gives. */
export interface Answer {
  /** What it is called among the examples; up to a dot, by its sort. */
  readonly name: string;
  readonly what: string;
  /** The same, exactly. */
  readonly when?: string;
  readonly reply: Reply;
  /** Of the body; undefined where there is none. */
  readonly schema?: JsonSchema | undefined;
}

/** What can be done at a path, in all that its readers are told. */
export interface Operation {
  readonly method: string;
  /** As OpenAPI writes it: `/a/{b}`. */
  readonly path: string;
  readonly tag: string;
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string | undefined;
  /** Any one of these is enough; none: callers are not known. */
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: RequestBody | undefined;
  readonly answers: readonly Answer[];
  /** Where it is, if not where all others are. */
  readonly server?: string;
}

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required?: true;
  readonly description: string;
  readonly schema: JsonSchema;
  readonly example?: unknown;
}

export interface RequestBody {
  readonly type: string;
  readonly required: boolean;
  readonly schema: JsonSchema;
  readonly example: unknown;
}

/** A request, as far as wordings look at it. */
export const requestTo = (method: string, path: string): RestRequest => ({
  id: 'req-7HkQ2vXcM0aZt9',
  method,
  path,
});

/** A schema of the components. */
export const schemaNamed = (name: string): JsonSchema => ({ $ref: `#/components/schemas/${name}` });
