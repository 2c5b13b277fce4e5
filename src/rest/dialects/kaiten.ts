import { STATUS_CODES } from 'node:http';
import type { Unauthenticated } from '../../refusals.ts';
import { challenge, type Dialect, json, type Reply, type RestRequest } from '../dialect.ts';
import { listOf, object, said, text, url, whole } from '../json-schema.ts';

/** Where each status is defined, as Kaiten's `type` has it. */
const types: Record<number, string> = {
  400: 'https://tools.ietf.org/html/rfc7231#section-6.5.1',
  401: 'https://tools.ietf.org/html/rfc7235#section-3.1',
  403: 'https://tools.ietf.org/html/rfc7231#section-6.5.3',
  404: 'https://tools.ietf.org/html/rfc7231#section-6.5.4',
  405: 'https://tools.ietf.org/html/rfc7231#section-6.5.5',
  408: 'https://tools.ietf.org/html/rfc7231#section-6.5.7',
  409: 'https://tools.ietf.org/html/rfc7231#section-6.5.8',
  413: 'https://tools.ietf.org/html/rfc7231#section-6.5.11',
  414: 'https://tools.ietf.org/html/rfc7231#section-6.5.12',
  415: 'https://tools.ietf.org/html/rfc7231#section-6.5.13',
  422: 'https://tools.ietf.org/html/rfc4918#section-11.2',
  429: 'https://tools.ietf.org/html/rfc6585#section-4',
  431: 'https://tools.ietf.org/html/rfc6585#section-5',
  500: 'https://tools.ietf.org/html/rfc7231#section-6.6.1',
  503: 'https://tools.ietf.org/html/rfc7231#section-6.6.4',
};

/** Kaiten's problem body: `type, title, status, detail, instance, code[, errors]`. */
export function kaitenProblem(
  request: RestRequest,
  status: number,
  code: string,
  detail: string,
  errors?: readonly { message: string; location: string }[],
): Reply {
  return json(
    status,
    'application/problem+json',
    {
      type: types[status],
      title: STATUS_CODES[status],
      status,
      detail,
      instance: request.path,
      code,
      errors,
    },
    status === 401 ? challenge : {},
  );
}

function unauthenticated(refusal: Unauthenticated, request: RestRequest): Reply {
  const [code, detail] = unauthenticatedTexts(refusal);
  return kaitenProblem(request, 401, code, detail);
}

function unauthenticatedTexts({ reason, jwt }: Unauthenticated): [code: string, detail: string] {
  if (reason === 'missing') {
    return ['Auth.MissingAuthorizationHeader', 'Missing Authorization header'];
  }
  if (reason === 'scheme') {
    return ['Auth.UnknownAuthorizationHeader', 'Invalid Authorization header format'];
  }
  // One text for an opaque token that is unknown, expired or revoked.
  if (!jwt && reason !== 'empty') return ['ValidateToken.Invalid', 'invalid token'];
  return ['Auth.InvalidToken', 'Failed to parse JWT'];
}

export const kaiten: Dialect = {
  name: 'kaiten',
  vendor: 'Kaiten',
  errorBody: object(
    {
      type: said('Where the status is defined.', url),
      title: text,
      status: whole,
      detail: text,
      instance: said('The path of the request.', text),
      code: said('Stable: switch on it.', text),
      errors: listOf(object({ message: text, location: text })),
    },
    ['errors'],
  ),
  prefix: '/service-accounts',
  common: {
    UNAUTHENTICATED: unauthenticated,
    INVALID_INPUT: (refusal, request) =>
      kaitenProblem(
        request,
        400,
        'Request.Invalid',
        'validation failed',
        refusal.issues.map(({ path, message }) => ({ message, location: `path.${path}` })),
      ),
    PERMISSION_DENIED: (_refusal, request) =>
      kaitenProblem(request, 403, 'Auth.MissingScope', 'missing required scope: write:tokens'),
  },
  general: {
    malformedUrl: (request) =>
      kaitenProblem(request, 400, 'Request.Invalid', 'The path is not valid percent-encoding'),
    unknownPath: (request) =>
      kaitenProblem(request, 404, 'Route.NotFound', 'There is nothing at this path'),
    methodNotAllowed: (request) =>
      kaitenProblem(
        request,
        405,
        'Route.MethodNotAllowed',
        `The method ${request.method} is not allowed here`,
      ),
    uriTooLong: (request) =>
      kaitenProblem(request, 414, 'Request.UriTooLong', 'The URI is too long'),
    badRequest: (request, status) =>
      kaitenProblem(request, status, 'Request.Invalid', 'The request cannot be read'),
    fault: (request) => kaitenProblem(request, 500, 'INTERNAL', 'An unexpected error occurred'),
    unavailable: (request) =>
      kaitenProblem(request, 503, 'UNAVAILABLE', 'The service is unavailable, try again later'),
    tooManyRequests: (request) =>
      kaitenProblem(request, 429, 'RATE_LIMIT_EXCEEDED', 'Rate limit exceeded, try again later'),
  },
};
