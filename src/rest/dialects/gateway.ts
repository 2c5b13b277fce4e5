import { STATUS_CODES } from 'node:http';
import { type GeneralAnswers, json, type Reply, type RestRequest } from '../dialect.ts';
import { type JsonSchema, object, said, text, whole } from '../json-schema.ts';

/** The gateway's own wording (RFC 9457), for paths that belong to no vendor. */
export function problem(request: RestRequest, status: number, detail: string): Reply {
  return json(status, 'application/problem+json', {
    type: 'about:blank',
    title: STATUS_CODES[status],
    status,
    detail,
    instance: request.path,
    requestId: request.id,
  });
}

/** Its body. */
export const problemBody: JsonSchema = object({
  type: said('Always about:blank.', text),
  title: text,
  status: whole,
  detail: text,
  instance: said('The path of the request.', text),
  requestId: said('As in the header X-Request-Id; the log has it too.', text),
});

export const gatewayAnswers: GeneralAnswers = {
  malformedUrl: (request) => problem(request, 400, 'The path is not valid percent-encoding.'),
  unknownPath: (request) =>
    problem(request, 404, 'There is nothing at this path. GraphQL is at /graphql.'),
  methodNotAllowed: (request) =>
    problem(request, 405, `The method ${request.method} is not allowed here.`),
  uriTooLong: (request) => problem(request, 414, 'The URI is too long.'),
  badRequest: (request, status) =>
    status === 405
      ? gatewayAnswers.methodNotAllowed(request)
      : problem(request, status, 'The request cannot be read.'),
  fault: (request) =>
    problem(request, 500, 'An unexpected error occurred. The log has it under the request id.'),
  unavailable: (request) => problem(request, 503, 'The gateway cannot answer for now. Try again.'),
  tooManyRequests: (request, seconds) =>
    problem(request, 429, `Too much is asked. Try again in ${seconds} s.`),
};
