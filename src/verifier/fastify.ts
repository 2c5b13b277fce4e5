import type { FastifyRequest, onRequestAsyncHookHandler } from 'fastify';
import type { Verifier } from './index.ts';
import { admit, headerOf, type RequireOptions } from './middleware.ts';
import type { Accepted } from './verdict.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** What the request is made with; set by `requireCredential`. */
    credential?: Accepted;
  }
}

export interface FastifyRequireOptions extends RequireOptions {
  /** From where a request comes; `request.ip` unless said, which minds `trustProxy`. */
  readonly address?: (request: FastifyRequest) => string | undefined;
}

/**
 * An `onRequest` hook, of an app or of one route: lets a request on with `request.credential`, and
 * answers every other with 401, 403 or 503.
 */
export function requireCredential(
  verifier: Verifier,
  options: FastifyRequireOptions = {},
): onRequestAsyncHookHandler {
  const { address = ({ ip }) => ip } = options;
  const header = headerOf(options);
  return async (request, reply) => {
    const value = request.headers[header];
    const presented = { value: value?.toString(), address: address(request) };
    const admitted = await admit(verifier, options, presented);
    if ('ok' in admitted) request.credential = admitted;
    else {
      // Bytes: to a text it would add a charset, which JSON has not.
      const body = Buffer.from(admitted.body);
      return reply.code(admitted.status).headers(admitted.headers).send(body);
    }
  };
}
