import type { InvalidInput, Refusal, RefusalClass } from '../refusals.ts';
import type { Reply, RestRequest } from './dialect.ts';
import type { JsonSchema } from './json-schema.ts';

/** What readers of a route are told that its code does not say. */
export interface Description {
  /** Unique and stable: clients that are generated name their methods so. */
  readonly operationId: string;
  /** One line. */
  readonly summary: string;
  readonly description?: string;
  /** What a request says in its path, and in its query or body; the demo has all that is named. */
  readonly example: Readonly<Record<string, unknown>>;
  /** The body of the answer once it is done; undefined: none. */
  readonly body?: JsonSchema;
}

/** All that is known of a route without a request: what it reads, and every answer that it words. */
export interface Described extends Description {
  /** All are needed; undefined where callers are not known. */
  readonly permissions?: readonly string[];
  /** What a request says in its path, and in its query or body: the schema of an object. */
  reads(): JsonSchema;
  /** What is wrong with a request that says something else. */
  invalid(): InvalidInput;
  readonly refusals: readonly RefusalClass[];
  done(request: RestRequest): Reply;
  refused(refusal: Refusal, request: RestRequest): Reply;
  /** Answers that depend on more than a refusal's code, and when each is given. */
  others?(request: RestRequest): readonly OtherAnswer[];
}

export type OtherAnswer = readonly [when: string, reply: Reply];
