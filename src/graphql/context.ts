import type { ServerResponse } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { actorOf, bearerToken, callers } from '../authenticate.ts';
import { Loaders } from '../credentials/load.ts';
import type { Gateway } from '../gateway.ts';
import { Refusal, Unauthenticated } from '../refusals.ts';
import type { Context } from './builder.ts';

/** Finds who asks, and gives resolvers what they work with. */
export async function createContext(
  gateway: Gateway,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<Context> {
  const actor = await gateway.authenticate(request.headers.authorization, request.ip);
  if (actor instanceof Refusal) request.refusal = actor;
  else request.actor = actor;
  const organizationId = actor instanceof Refusal ? '' : actor.organizationId;
  return {
    gateway,
    requestId: request.id,
    actor,
    loaders: new Loaders(gateway.reader, organizationId),
    live: {
      begin: () => closeOf(reply.header('x-accel-buffering', 'no').raw),
      again: () => again(gateway, request),
      cut: () => void reply.raw.destroy(),
    },
    note: (name, outcome) => {
      request.mutations ??= [];
      request.mutations.push({ name, outcome });
    },
  };
}

/** Who sent a request that goes on, read again: it is the same use of the token. */
async function again({ verify }: Gateway, { headers, ip }: FastifyRequest) {
  const token = bearerToken(headers.authorization);
  if (token instanceof Unauthenticated) return token;
  const verified = await verify(token, { address: ip, use: false, ongoing: true, kinds: callers });
  return verified instanceof Unauthenticated ? verified : actorOf(verified);
}

/** Aborts when an answer is complete, or its connection gone. */
function closeOf(response: ServerResponse): AbortSignal {
  const closing = new AbortController();
  if (response.closed || response.destroyed) closing.abort();
  else response.once('close', () => closing.abort());
  return closing.signal;
}
