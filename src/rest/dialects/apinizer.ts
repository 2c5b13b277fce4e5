import { challenge, type Dialect, json, type Reply } from '../dialect.ts';
import { object, text } from '../json-schema.ts';

const contentType = 'application/json';

export function apinizerReply(status: number, body: object): Reply {
  return json(status, contentType, body);
}

/** `error, error_description`. */
export function apinizerError(status: number, error: string, error_description: string): Reply {
  const headers = status === 401 ? challenge : {};
  return json(status, contentType, { error, error_description }, headers);
}

export const apinizer: Dialect = {
  name: 'apinizer',
  vendor: 'Apinizer',
  errorBody: object({ error: text, error_description: text }),
  prefix: '/apiops',
  common: {
    UNAUTHENTICATED: () => apinizerError(401, 'unauthorized_client', 'Invalid token'),
    INVALID_INPUT: (refusal) =>
      apinizerError(
        400,
        'bad_request',
        refusal.issues.map(({ path, message }) => `${path}: ${message}`).join('; '),
      ),
    PERMISSION_DENIED: () =>
      apinizerError(403, 'forbidden', 'You do not have permission to perform this action'),
  },
  general: {
    malformedUrl: () => apinizerError(400, 'bad_request', 'The path is not valid percent-encoding'),
    unknownPath: () => apinizerError(404, 'not_found', 'There is nothing at this path'),
    methodNotAllowed: (request) =>
      apinizerError(405, 'method_not_allowed', `The method ${request.method} is not allowed here`),
    uriTooLong: () => apinizerError(414, 'uri_too_long', 'The URI is too long'),
    badRequest: (_request, status) =>
      apinizerError(status, 'bad_request', 'The request cannot be read'),
    fault: () =>
      apinizerError(500, 'internal_error', 'An unexpected error occurred. Please try again later.'),
    unavailable: () =>
      apinizerError(503, 'unavailable', 'The service is unavailable. Please try again later.'),
    tooManyRequests: () =>
      apinizerError(429, 'rate_limit_exceeded', 'Rate limit exceeded. Please try again later.'),
  },
};
