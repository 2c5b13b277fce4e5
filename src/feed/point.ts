import type { FastifyRequest } from 'fastify';
import type { Actor } from '../actor.ts';
import { actorOf, bearerToken, callers } from '../authenticate.ts';
import type { Gateway } from '../gateway.ts';
import { Refusal, Unauthenticated } from '../refusals.ts';
import { secretPrefixes } from '../secrets.ts';

/** The caller is known, and is no enforcement point. */
class NotAPoint extends Refusal {
  readonly code = 'NOT_AN_ENFORCEMENT_POINT';
  readonly message = 'Only an enforcement point may follow the feed.';
}

/** An enforcement point as a caller. */
export type Point = Actor & { readonly credentialId: string };

const pointKinds: ReadonlySet<string> = new Set(['enforcement-point']);

/** Whether a token looks like an enforcement point's. */
export const isPointToken = (token: string): boolean =>
  token.startsWith(secretPrefixes['enforcement-point']);

/** The enforcement point whose token this is. */
export async function verifyPoint(
  gateway: Pick<Gateway, 'verify'>,
  token: string,
): Promise<Point | Unauthenticated> {
  const verified = await gateway.verify(token, { use: false, kinds: pointKinds });
  if (verified instanceof Unauthenticated) return verified;
  return { ...actorOf(verified), credentialId: verified.chain[0]?.id ?? '' };
}

/** The enforcement point that a request is from, or why it is from none. */
export async function authenticatePoint(
  gateway: Pick<Gateway, 'verify'>,
  { headers }: FastifyRequest,
): Promise<Point | Unauthenticated | NotAPoint> {
  const token = bearerToken(headers.authorization);
  if (token instanceof Unauthenticated) return token;
  if (isPointToken(token)) return await verifyPoint(gateway, token);
  const other = await gateway.verify(token, { use: false, kinds: callers });
  return other instanceof Unauthenticated ? other : new NotAPoint();
}
