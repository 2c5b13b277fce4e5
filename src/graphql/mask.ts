import type { FastifyBaseLogger } from 'fastify';
import { GraphQLError } from 'graphql';
import { isUnavailable, logUnavailable, RETRY_AFTER_S } from '../unavailable.ts';

/** GraphQL's own errors are for the client; anything else is a fault, and stays in the log. */
export function mask(error: unknown, log: FastifyBaseLogger): GraphQLError {
  if (error instanceof GraphQLError && isForClient(error.originalError)) {
    return error.extensions.code === 'BAD_REQUEST' ? notARequest(error) : error;
  }
  const cause = error instanceof GraphQLError ? error.originalError : error;
  const place = error instanceof GraphQLError ? { nodes: error.nodes, path: error.path } : {};
  if (isUnavailable(cause)) {
    logUnavailable(log, cause);
    const headers = { 'retry-after': String(RETRY_AFTER_S) };
    return new GraphQLError('The gateway cannot answer for now. Try again.', {
      ...place,
      extensions: { code: 'UNAVAILABLE', http: { status: 503, headers } },
    });
  }
  log.error({ err: cause }, 'fault');
  return new GraphQLError('An unexpected error occurred.', {
    ...place,
    extensions: { code: 'INTERNAL_SERVER_ERROR' },
    // Where nothing was executed, Yoga answers with 500 for this.
    originalError: new Error('masked'),
  });
}

/** An HTTP error whatever the client accepts, without the JSON parser's text, which quotes the body. */
const notARequest = ({ message, extensions: { code, http } }: GraphQLError): GraphQLError =>
  new GraphQLError(message, { extensions: { code, http: { ...(http as object), spec: false } } });

const isForClient = (cause: unknown): boolean =>
  cause === undefined || cause === null || cause instanceof GraphQLError;
