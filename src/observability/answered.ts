import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Gateway } from '../gateway.ts';
import { Unauthenticated } from '../refusals.ts';
import type { Metrics } from './metrics.ts';
import { surfaceOf } from './surface.ts';

/** A mutation, and `DONE`, the code of its refusal, or `FAILED`. */
export interface MutationOutcome {
  readonly name: string;
  readonly outcome: string;
}

/** Mutations of one request that its line in the log has. */
const MUTATIONS_LOGGED_MAX = 20;

/** What nginx says where the client has left before the answer. */
const LEFT_STATUS = 499;

/** Those at which each answer is logged. */
const levelsThatSay = new Set(['trace', 'debug', 'info']);

/** The one place that every request comes by once it is answered, or its client has left: it is counted and logged. */
export function answered(
  request: FastifyRequest,
  reply: FastifyReply,
  { metrics, traces }: Pick<Gateway, 'metrics' | 'traces'>,
): void {
  traces?.answered(request, reply);
  const logged = levelsThatSay.has(request.log.level);
  if (!logged && metrics === undefined) return;
  // The pattern, not the path: secrets are pasted as ids.
  const route = request.routeOptions.url;
  if (metrics !== undefined) count(metrics, request, reply, route);
  if (logged) log(request, reply, route);
}

/** The one line of the log for a request. */
function log(request: FastifyRequest, reply: FastifyReply, route: string | undefined): void {
  const { actor, refusal, mutations } = request;
  request.log.info(
    {
      reqId: request.id,
      method: request.method,
      route,
      status: reply.statusCode,
      refusal: refusal?.code,
      reason: refusal instanceof Unauthenticated ? refusal.reason : undefined,
      actor: actor?.name,
      credential: actor?.credentialId ?? undefined,
      organization: actor?.organizationSlug,
      mutations: mutations?.slice(0, MUTATIONS_LOGGED_MAX),
      client: request.ip,
      ms: Math.round(reply.elapsedTime * 10) / 10,
    },
    reply.raw.writableEnded ? 'answered' : 'left',
  );
}

function count(
  metrics: Metrics,
  request: FastifyRequest,
  reply: FastifyReply,
  route: string | undefined,
): void {
  const stream = isStream(reply, route);
  metrics.answered({
    method: request.method,
    route,
    status: reply.raw.writableEnded || stream ? reply.statusCode : LEFT_STATUS,
    seconds: stream ? undefined : reply.elapsedTime / 1000,
  });
  const { refusal, mutations } = request;
  // Who is not known is told so by each mutation.
  const refused = refusal === undefined ? (mutations ?? []) : [{ outcome: refusal.code }];
  for (const { outcome } of refused) {
    if (outcome !== 'DONE' && outcome !== 'FAILED') metrics.refused(outcome, surfaceOf(route));
  }
}

/** Whether it goes on for as long as somebody listens. */
const isStream = ({ raw }: FastifyReply, route: string | undefined): boolean =>
  route === '/feed' || String(raw.getHeader('content-type')).startsWith('text/event-stream');
