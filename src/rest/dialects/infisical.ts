import type { InvalidInput, Unauthenticated, UnauthenticatedReason } from '../../refusals.ts';
import { challenge, type Dialect, json, type Reply, type RestRequest } from '../dialect.ts';
import { listOf, object, said, text, whole } from '../json-schema.ts';

const contentType = 'application/json; charset=utf-8';

/** A body of Infisical's, in the order in which its schemas list the members. */
export function infisicalReply(status: number, body: object): Reply {
  return json(status, contentType, body);
}

/** `reqId, statusCode, message, error`: the envelope of every error of Infisical's. */
export function infisicalError(
  request: RestRequest,
  statusCode: number,
  error: string,
  message: string,
): Reply {
  const headers = statusCode === 401 ? challenge : {};
  return json(statusCode, contentType, { reqId: request.id, statusCode, message, error }, headers);
}

/** What is wrong with a body or a query: the message is the list of problems, as Zod writes it. */
export const infisicalInvalid = ({ issues }: InvalidInput, request: RestRequest): Reply =>
  infisicalReply(422, {
    reqId: request.id,
    statusCode: 422,
    message: issues.map(({ path, message }) => ({
      code: 'custom',
      path: path.split('.'),
      message,
    })),
    error: 'ValidationFailure',
  });

/** What Infisical says of each way not to be known: status, `error`, `message`. */
const unauthenticated: Record<UnauthenticatedReason, [number, string, string]> = {
  missing: [401, 'UnauthorizedError', 'Token missing'],
  scheme: malformed(),
  empty: [403, 'TokenError', 'jwt must be provided'],
  malformed: malformed(),
  algorithm: [
    403,
    'TokenError',
    'The access token is signed with an invalid algorithm. Please provide a valid token and try again.',
  ],
  signature: [403, 'TokenError', 'invalid signature'],
  claims: [
    401,
    'UnauthorizedError',
    'Invalid identity access token claims, please re-authenticate',
  ],
  expired: [403, 'TokenError', 'Your token has expired. Please re-authenticate.'],
  revoked: [401, 'UnauthorizedError', 'Failed to authorize: token has been revoked'],
  methodRevoked: [401, 'UnauthorizedError', 'Failed to authorize: auth method has been revoked'],
  ownerRevoked: [
    401,
    'UnauthorizedError',
    'Failed to authorize: identity tokens have been revoked',
  ],
  cutOff: [401, 'UnauthorizedError', 'Failed to authorize: token has been revoked'],
  usedUp: [401, 'UnauthorizedError', 'Failed to authorize: token usage limit reached'],
  wrongAddress: [
    403,
    'ForbiddenError',
    'You are not allowed to access this resource from the current IP address',
  ],
  unknown: [401, 'UnauthorizedError', 'Failed to authorize: token has been revoked'],
};

function malformed(): [number, string, string] {
  return [
    403,
    'TokenError',
    'The provided access token is malformed. Please use a valid token or generate a new one and try again.',
  ];
}

/** A JWT is all that Infisical knows: any other text is a malformed one. */
function unauthenticatedReply(refusal: Unauthenticated, request: RestRequest): Reply {
  const reason = refusal.reason === 'unknown' && !refusal.jwt ? 'malformed' : refusal.reason;
  const [status, error, message] = unauthenticated[reason];
  return infisicalError(request, status, error, message);
}

export const infisical: Dialect = {
  name: 'infisical',
  vendor: 'Infisical',
  errorBody: object(
    {
      reqId: said('The request id, as in the header X-Request-Id.', text),
      statusCode: whole,
      message: {
        description: 'Why not; with 422, everything that is wrong.',
        anyOf: [text, listOf(object({ code: text, path: listOf(text), message: text }))],
      },
      details: said('Always empty.', listOf({})),
      error: text,
    },
    ['details'],
  ),
  prefix: '/api/v1/auth',
  common: {
    UNAUTHENTICATED: unauthenticatedReply,
    INVALID_INPUT: (_refusal, request) =>
      infisicalError(request, 400, 'BadRequest', 'The request is invalid'),
    PERMISSION_DENIED: (_refusal, request) =>
      infisicalReply(403, {
        reqId: request.id,
        statusCode: 403,
        message: 'You are not allowed to edit on identity',
        details: [],
        error: 'PermissionDenied',
      }),
  },
  general: {
    malformedUrl: (request) =>
      infisicalError(request, 400, 'BadRequest', 'Malformed URL encoding in query parameters'),
    unknownPath: (request) =>
      infisicalError(
        request,
        404,
        'Not Found',
        `Route ${request.method}:${request.path} not found`,
      ),
    methodNotAllowed: (request) =>
      infisicalError(
        request,
        405,
        'MethodNotAllowed',
        `Method ${request.method} is not allowed here`,
      ),
    uriTooLong: (request) => infisicalError(request, 414, 'UriTooLong', 'The URI is too long'),
    badRequest: (request, status) =>
      infisicalError(request, status, 'BadRequest', 'The request is invalid'),
    fault: (request) => infisicalError(request, 500, 'InternalServerError', 'Something went wrong'),
    unavailable: (request) =>
      infisicalError(request, 503, 'ServiceUnavailable', 'Please try again later'),
    tooManyRequests: (request, seconds) =>
      infisicalError(
        request,
        429,
        'RateLimitExceeded',
        `Rate limit exceeded. Please try again in ${seconds} seconds`,
      ),
  },
};
