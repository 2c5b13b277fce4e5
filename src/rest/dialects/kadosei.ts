import { challenge, type Dialect, json, type Reply } from '../dialect.ts';
import { listOf, object, said, text, whole } from '../json-schema.ts';

const contentType = 'application/json';

export function kadoseiReply(status: number, body: object): Reply {
  return json(status, contentType, body);
}

/** `error, message, code[, details]`. */
export function kadoseiError(
  code: number,
  error: string,
  message: string,
  details?: readonly { field: string; message: string }[],
): Reply {
  const headers = code === 401 ? challenge : {};
  return json(code, contentType, { error, message, code, details }, headers);
}

const badRequest = (details: readonly { field: string; message: string }[]) =>
  kadoseiError(
    400,
    'Bad Request',
    'The request contains invalid parameters or malformed data',
    details,
  );

/** One text for the unknown, the foreign and the revoked. */
export const kadoseiNotFound = () =>
  kadoseiError(404, 'Not Found', 'The requested resource was not found');

export const kadosei: Dialect = {
  name: 'kadosei',
  vendor: 'Kadosei',
  errorBody: object(
    {
      error: text,
      message: text,
      code: said('The status.', whole),
      details: listOf(object({ field: text, message: text })),
    },
    ['details'],
  ),
  prefix: '/api/v1/applications',
  common: {
    UNAUTHENTICATED: () =>
      kadoseiError(
        401,
        'Unauthorized',
        'Authentication required. Please provide a valid API token',
      ),
    INVALID_INPUT: (refusal) =>
      badRequest(refusal.issues.map(({ path, message }) => ({ field: path, message }))),
    PERMISSION_DENIED: () =>
      kadoseiError(403, 'Forbidden', "You don't have permission to access this resource"),
  },
  general: {
    malformedUrl: () => badRequest([{ field: 'path', message: 'Invalid percent-encoding' }]),
    unknownPath: kadoseiNotFound,
    methodNotAllowed: () =>
      kadoseiError(405, 'Method Not Allowed', 'The method is not allowed for this resource'),
    uriTooLong: () => kadoseiError(414, 'URI Too Long', 'The URI is too long'),
    badRequest: (_request, status) =>
      kadoseiError(
        status,
        'Bad Request',
        'The request contains invalid parameters or malformed data',
      ),
    fault: () => kadoseiError(500, 'Internal Server Error', 'An unexpected error occurred'),
    unavailable: () =>
      kadoseiError(503, 'Service Unavailable', 'The service is unavailable. Try again later'),
    tooManyRequests: () => kadoseiError(429, 'Too Many Requests', 'Rate limit exceeded'),
  },
};
