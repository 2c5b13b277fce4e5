import {
  InvalidInput,
  type PermissionDenied,
  type Refusal,
  type Unauthenticated,
} from '../refusals.ts';
import { type GeneralAnswers, json, type PathWords, type Reply } from '../rest/dialect.ts';

const REALM = 'revocation gateway';
const basic = `Basic realm="${REALM}"`;
const bearer = `Bearer realm="${REALM}"`;

/** Every `error` that is answered: RFC 6749, 6750 and 7009. */
export type OauthErrorWord =
  | 'insufficient_scope'
  | 'invalid_client'
  | 'invalid_request'
  | 'invalid_scope'
  | 'invalid_token'
  | 'server_error'
  | 'temporarily_unavailable'
  | 'unauthorized_client'
  | 'unsupported_grant_type';

/** A no in OAuth's words, and what was refused, for the log. */
export class Refused {
  readonly reply: Reply;
  readonly refusal: Refusal;

  constructor(reply: Reply, refusal: Refusal) {
    this.reply = reply;
    this.refusal = refusal;
  }
}

/** How a caller is told no: clients by RFC 6749, bearers of tokens by RFC 6750. */
export interface CallerWords {
  unauthenticated(refusal: Unauthenticated): Refused;
  denied(refusal: PermissionDenied): Refused;
}

/** An answer that nobody on the way keeps. */
export function unkept(status: number, body: object, headers: Record<string, string> = {}): Reply {
  const fresh = { 'cache-control': 'no-store', pragma: 'no-cache' };
  return json(status, 'application/json', body, { ...fresh, ...headers });
}

function no(
  status: number,
  error: OauthErrorWord,
  error_description: string,
  challenge?: string,
): Reply {
  const headers = challenge === undefined ? {} : { 'www-authenticate': challenge };
  return unkept(status, { error, error_description }, headers);
}

/** A parameter that is missing or wrong. The text has neither `"` nor `\`, and nothing that was sent. */
export function invalid(
  parameter: string,
  message: string,
  error: OauthErrorWord = 'invalid_request',
): Refused {
  return new Refused(no(400, error, message), new InvalidInput([{ path: parameter, message }]));
}

/** Whatever is wrong with it, a client is told the same. */
export const clientWords: CallerWords = {
  unauthenticated: (refusal) =>
    new Refused(no(401, 'invalid_client', 'Client authentication failed.', basic), refusal),
  denied: (refusal) => new Refused(no(400, 'unauthorized_client', refusal.message), refusal),
};

export const bearerWords: CallerWords = {
  unauthenticated: (refusal) =>
    new Refused(
      no(401, 'invalid_token', 'The token is not good.', `${bearer}, error="invalid_token"`),
      refusal,
    ),
  denied: (refusal) => {
    const scope = refusal.missingPermissions.join(' ');
    const challenge = `${bearer}, error="insufficient_scope", scope="${scope}"`;
    return new Refused(no(403, 'insufficient_scope', refusal.message, challenge), refusal);
  },
};

/** Nobody said who they are. */
export const anonymous = (refusal: Unauthenticated): Refused =>
  new Refused(
    no(
      401,
      'invalid_client',
      'Authenticate as a client, or send a bearer token.',
      `${basic}, ${bearer}`,
    ),
    refusal,
  );

const oauthAnswers: GeneralAnswers = {
  malformedUrl: () => no(400, 'invalid_request', 'The path is not valid percent-encoding.'),
  unknownPath: () => no(404, 'invalid_request', 'There is nothing at this path.'),
  methodNotAllowed: () => no(405, 'invalid_request', 'The method is not allowed here.'),
  uriTooLong: () => no(414, 'invalid_request', 'The URI is too long.'),
  badRequest: (_request, status) =>
    // RFC 6749 has 400 for whatever is wrong with a request.
    no(status === 415 ? 400 : status, 'invalid_request', 'The request cannot be read.'),
  fault: () => no(500, 'server_error', 'An unexpected error occurred.'),
  unavailable: () =>
    no(503, 'temporarily_unavailable', 'The gateway cannot answer for now. Try again.'),
  tooManyRequests: (_request, seconds) =>
    no(429, 'temporarily_unavailable', `Too much is asked. Try again in ${seconds} s.`),
};

/** What is answered on paths that begin so, where no endpoint does. */
export const oauthWords = { prefix: '/oauth', general: oauthAnswers } satisfies PathWords;
