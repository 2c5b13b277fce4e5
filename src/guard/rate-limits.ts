import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Unauthenticated } from '../refusals.ts';
import type { Reply } from '../rest/dialect.ts';
import { hashSecret } from '../secrets.ts';
import type { RateLimits } from './rates.ts';
import { networkOf, Windows } from './windows.ts';

/** What is counted, in windows that begin with the first request. */
const WINDOW_MS = 1_000;
/** Of what a caller presents; a hash costs more than to look for so many. */
const KEPT_CHARS_MAX = 2_000;

/** Those that count by what a caller presents; the others count by address. */
const callers: ReadonlySet<keyof RateLimits> = new Set(['caller', 'introspection']);

/** What is limited besides, by its path. */
const stricter: readonly { limit: 'login' | 'introspection'; path: RegExp }[] = [
  { limit: 'login', path: /^\/oauth\/token$|-auth\/login$/ },
  { limit: 'introspection', path: /^\/oauth\/introspect$/ },
];

/** Counts a request; says in how many seconds to ask again, where there are too many. */
type Limiter = (request: FastifyRequest) => number | undefined;

/**
 * Limits requests by address and by caller, and logins, introspections and failures more strictly. Each
 * answer that is refused so is a 429 in the words of its path, with `Retry-After`. Who presents what is
 * good is never refused for the failures of others behind the same address.
 */
export function limitRates(
  app: FastifyInstance,
  limits: RateLimits,
  tooMany: (request: FastifyRequest, seconds: number) => Reply,
): void {
  const refuse = (request: FastifyRequest, reply: FastifyReply, seconds: number) => {
    const { status, headers, body } = tooMany(request, seconds);
    request.limited = true;
    reply.code(status).headers({ ...headers, 'retry-after': String(seconds) });
    return body;
  };

  const limiter = (limit: keyof RateLimits): Limiter => {
    const windows = new Windows(WINDOW_MS);
    const keyOf = callers.has(limit) ? callerOf : addressOf;
    return (request) => {
      const { count, leftMs } = windows.count(keyOf(request));
      return count > limits[limit] ? Math.max(1, Math.ceil(leftMs / 1000)) : undefined;
    };
  };
  const limiters: Record<keyof RateLimits, Limiter> = {
    ...{ address: limiter('address'), caller: limiter('caller'), login: limiter('login') },
    ...{ introspection: limiter('introspection'), failures: limiter('failures') },
  };

  // With callbacks: each hook that is awaited costs every request.
  app.addHook('onRequest', (request, reply, next) => {
    const path = request.routeOptions.url ?? '';
    if (unlimited.has(path)) return next();
    const strict = stricter.find((each) => each.path.test(path))?.limit;
    const known = request.headers.authorization !== undefined;
    const seconds =
      limiters.address(request) ??
      (known ? limiters.caller(request) : undefined) ??
      (strict && limiters[strict](request));
    if (seconds === undefined) next();
    else reply.send(refuse(request, reply, seconds));
  });

  app.addHook('onSend', (request, reply, payload, done) => {
    const failed = request.refusal instanceof Unauthenticated && !request.limited;
    const seconds = failed ? limiters.failures(request) : undefined;
    if (seconds === undefined) return done(null, payload);
    reply.removeHeader('www-authenticate').removeHeader('content-length');
    done(null, refuse(request, reply, seconds));
  });
}

/** Who looks whether the gateway is well is not told that there is too much to do. */
const unlimited = new Set(['/health/live', '/health/ready']);

const addressOf = ({ ip }: FastifyRequest): string => networkOf(ip);

/** What is presented, since it is not known yet what it stands for. What is long is kept as its hash. */
function callerOf({ headers: { authorization }, ip }: FastifyRequest): string {
  if (authorization === undefined) return ip;
  const presented = presentedIn(authorization);
  return presented.length <= KEPT_CHARS_MAX ? presented : hashSecret(presented);
}

/** The same for each way to write it: schemes in any case, any number of blanks, and any encoding. */
function presentedIn(authorization: string): string {
  const [, scheme = '', written = ''] = /^(\S+) *(.*)$/s.exec(authorization) ?? [];
  if (scheme.toLowerCase() !== 'basic') return written;
  const text = Buffer.from(written, 'base64').toString();
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}
