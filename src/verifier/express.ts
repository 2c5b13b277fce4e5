import type { Request, RequestHandler } from 'express';
import type { Verifier } from './index.ts';
import { admit, headerOf, type RequireOptions } from './middleware.ts';
import type { Accepted } from './verdict.ts';

declare global {
  namespace Express {
    interface Request {
      /** What the request is made with; set by `requireCredential`. */
      credential?: Accepted;
    }
  }
}

export interface ExpressRequireOptions extends RequireOptions {
  /** From where a request comes; `req.ip` unless said, which minds `trust proxy`. */
  readonly address?: (request: Request) => string | undefined;
}

/**
 * Middleware of an app, a router or one route: lets a request on with `req.credential`, and answers
 * every other with 401, 403 or 503.
 */
export function requireCredential(
  verifier: Verifier,
  options: ExpressRequireOptions = {},
): RequestHandler {
  const { address = ({ ip }) => ip } = options;
  const header = headerOf(options);
  return async (request, response, next) => {
    const value = request.headers[header];
    const presented = { value: value?.toString(), address: address(request) };
    const admitted = await admit(verifier, options, presented);
    if ('ok' in admitted) {
      request.credential = admitted;
      next();
    } else {
      // As it stands: `send` would add a charset, which JSON has not.
      response.writeHead(admitted.status, admitted.headers).end(admitted.body);
    }
  };
}
