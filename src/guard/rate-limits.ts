import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Unauthenticated } from '../refusals.ts';
import type { Reply } from '../rest/dialect.ts';
import { hashSecret } from '../secrets.ts';
import type { RateLimits } from './rates.ts';
import { Windows } from './windows.ts';

/** What is counted, in windows that begin with the first request. */
const WINDOW_MS = 1_000;

/** Those that count by what a caller presents; the others count by address. */
const callers: ReadonlySet<keyof RateLimits> = new Set(['caller', 'introspection']);

/** What is limited besides, by its path. */
const stricter: readonly { limit: 'login' | 'introspection'; path: RegExp }[] = [
  { limit: 'login', path: /^\/oauth\/token$|-auth\/login$/ },
  { limit: 'introspection', path: /^\/oauth\/introspect$/ },
];

type Limiter = (request: FastifyRequest) => Promise<number | undefined>;

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

  let limiters: Record<keyof RateLimits, Limiter> | undefined;
  app.register(rateLimit, { global: false, store: Windows }).after(() => {
    const limiter = (limit: keyof RateLimits): Limiter => {
      const options = { max: limits[limit], timeWindow: WINDOW_MS };
      const count = app.createRateLimit(
        callers.has(limit) ? { ...options, keyGenerator: callerOf } : options,
      );
      return async (request) => {
        const counted = await count(request);
        const exceeded = !counted.isAllowed && counted.isExceeded;
        return exceeded ? Math.max(1, counted.ttlInSeconds) : undefined;
      };
    };
    limiters = {
      ...{ address: limiter('address'), caller: limiter('caller'), login: limiter('login') },
      ...{ introspection: limiter('introspection'), failures: limiter('failures') },
    };
  });

  app.addHook('onRequest', async (request, reply) => {
    const path = request.routeOptions.url ?? '';
    if (limiters === undefined || unlimited.has(path)) return;
    const strict = stricter.find((each) => each.path.test(path))?.limit;
    const known = request.headers.authorization !== undefined;
    const seconds =
      (await limiters.address(request)) ??
      (known ? await limiters.caller(request) : undefined) ??
      (strict && (await limiters[strict](request)));
    if (seconds !== undefined) return reply.send(refuse(request, reply, seconds));
  });

  // With a callback: what is not refused is sent at once.
  app.addHook('onSend', (request, reply, payload, done) => {
    if (
      !(request.refusal instanceof Unauthenticated) ||
      request.limited ||
      limiters === undefined
    ) {
      done(null, payload);
      return;
    }
    limiters.failures(request).then((seconds) => {
      if (seconds === undefined) return done(null, payload);
      reply.removeHeader('www-authenticate').removeHeader('content-length');
      done(null, refuse(request, reply, seconds));
    }, done);
  });
}

/** Who looks whether the gateway is well is not told that there is too much to do. */
const unlimited = new Set(['/health/live', '/health/ready']);

/** What is presented, hashed: what it stands for is not known yet. */
const callerOf = ({ headers, ip }: FastifyRequest): string =>
  headers.authorization === undefined ? ip : hashSecret(headers.authorization);
