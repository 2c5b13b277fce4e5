import type { FastifyRequest } from 'fastify';
import type { Actor } from '../actor.ts';
import { bearerToken } from '../authenticate.ts';
import { isPointToken, verifyPoint } from '../feed/point.ts';
import type { Gateway } from '../gateway.ts';
import { Unauthenticated } from '../refusals.ts';
import { anonymous, bearerWords, type CallerWords, clientWords, Refused } from './answers.ts';
import { authenticateClient, authenticatesInForm } from './client.ts';
import type { Form } from './form.ts';

/** Who asks about a token or revokes one, and how they are told no. */
export interface Caller {
  readonly actor: Actor;
  readonly words: CallerWords;
  /** Whether it is an enforcement point. */
  readonly point?: true;
}

/**
 * A client, or whoever else may call the gateway with a bearer token.
 *
 * @param points whether enforcement points may call too
 */
export async function authenticateCaller(
  gateway: Gateway,
  request: FastifyRequest,
  form: Form,
  { points = false } = {},
): Promise<Caller | Refused> {
  const { authorization } = request.headers;
  const inForm = authenticatesInForm(form);
  if (authorization === undefined && !inForm) return anonymous(new Unauthenticated('missing'));
  const token = bearerToken(authorization);
  const isBearer = !(token instanceof Unauthenticated) || token.reason === 'empty';
  if (!isBearer || inForm) {
    const actor = await authenticateClient(gateway, request, form);
    return actor instanceof Refused ? actor : { actor, words: clientWords };
  }
  const point = points && typeof token === 'string' && isPointToken(token);
  const actor = point
    ? await verifyPoint(gateway, token)
    : await gateway.authenticate(authorization, request.ip);
  if (actor instanceof Unauthenticated) return bearerWords.unauthenticated(actor);
  request.actor = actor;
  return { actor, words: bearerWords, ...(point && { point }) };
}
