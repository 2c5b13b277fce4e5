import type { Context, MiddlewareHandler } from 'hono';
import type { Verifier } from './index.ts';
import { admit, headerOf, type RequireOptions } from './middleware.ts';
import type { Accepted } from './verdict.ts';

declare module 'hono' {
  interface ContextVariableMap {
    /** What the request is made with; set by `requireCredential`. */
    credential: Accepted;
  }
}

export interface HonoRequireOptions extends RequireOptions {
  /** From where a request comes; the peer of the socket unless said, which only `@hono/node-server` tells. */
  readonly address?: (context: Context) => string | undefined;
}

/**
 * Middleware of an app or of one route: lets a request on with `c.get('credential')`, and answers
 * every other with 401, 403 or 503.
 */
export function requireCredential(
  verifier: Verifier,
  options: HonoRequireOptions = {},
): MiddlewareHandler {
  const { address = peerOf } = options;
  const header = headerOf(options);
  return async (context, next) => {
    const presented = { value: context.req.header(header), address: address(context) };
    const admitted = await admit(verifier, options, presented);
    if ('ok' in admitted) {
      context.set('credential', admitted);
      return await next();
    }
    return new Response(admitted.body, { status: admitted.status, headers: admitted.headers });
  };
}

const peerOf = ({ env }: Context): string | undefined =>
  (env as { incoming?: { socket?: { remoteAddress?: string } } } | undefined)?.incoming?.socket
    ?.remoteAddress;
