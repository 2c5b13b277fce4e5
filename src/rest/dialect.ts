import type { InvalidInput, PermissionDenied, Refusal, Unauthenticated } from '../refusals.ts';
import type { JsonSchema } from './json-schema.ts';

/** What goes back over the wire: exactly this. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What a wording may need to know of the request. */
export interface RestRequest {
  readonly id: string;
  readonly method: string;
  /** As it was sent, without the query. */
  readonly path: string;
}

/** A reply for every code of these refusals, and for no other: a missing one does not compile. */
export type Wording<R extends Refusal, Input = unknown> = {
  readonly [Code in R['code']]: (
    refusal: Extract<R, { code: Code }>,
    request: RestRequest,
    input: Input,
  ) => Reply;
};

/** Answers that have nothing to do with any one route. */
export interface GeneralAnswers {
  malformedUrl(request: RestRequest): Reply;
  unknownPath(request: RestRequest): Reply;
  methodNotAllowed(request: RestRequest): Reply;
  uriTooLong(request: RestRequest): Reply;
  /** The request itself is not readable; `status` is 400, 408, 413, 415 or 431. */
  badRequest(request: RestRequest, status: number): Reply;
  fault(request: RestRequest): Reply;
  unavailable(request: RestRequest): Reply;
  /** Too much is asked; it may be asked again after so many seconds. */
  tooManyRequests(request: RestRequest, seconds: number): Reply;
}

/** How one vendor words what is common to all of its routes. */
export interface Dialect {
  readonly name: string;
  /** What people call the product. */
  readonly vendor: string;
  /** The body of every no. */
  readonly errorBody: JsonSchema;
  /** Paths that begin so are answered in this dialect, known or not. */
  readonly prefix: string;
  readonly common: Wording<Unauthenticated | InvalidInput | PermissionDenied>;
  readonly general: GeneralAnswers;
}

/** The words for all paths that begin so; `common` where callers are authenticated before all else. */
export type PathWords = Pick<Dialect, 'prefix' | 'general'> & Partial<Pick<Dialect, 'common'>>;

/** A JSON reply; members are written in the order given, and undefined ones are left out. */
export function json(
  status: number,
  contentType: string,
  body: object,
  headers: Record<string, string> = {},
): Reply {
  return {
    status,
    headers: { 'content-type': contentType, ...headers },
    body: JSON.stringify(body),
  };
}

/** RFC 9110 asks for a challenge with every 401. */
export const challenge = { 'www-authenticate': 'Bearer' };
