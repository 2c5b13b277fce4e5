import type { FastifyRequest } from 'fastify';
import { carryOut } from '../credentials/carry-out.ts';
import { createRevokeByValue } from '../credentials/revoke-by-value.ts';
import type { ForeignToken } from '../cut-offs.ts';
import type { Gateway } from '../gateway.ts';
import { PermissionDenied, Unauthenticated } from '../refusals.ts';
import type { Reply } from '../rest/dialect.ts';
import { hashSecret } from '../secrets.ts';
import { invalid, Refused, unkept } from './answers.ts';
import { authenticateCaller } from './caller.ts';
import { type Form, tokenIn } from './form.ts';

/**
 * `POST /oauth/revoke`: revokes a value of any kind (RFC 7009). What is not good any more, or never
 * was, is answered like what has just been revoked.
 */
export async function revoke(
  gateway: Gateway,
  request: FastifyRequest,
  form: Form,
): Promise<Reply | Refused> {
  const caller = await authenticateCaller(gateway, request, form);
  if (caller instanceof Refused) return caller;
  const { actor, words } = caller;
  const token = tokenIn(form);
  if (token === undefined) return invalid('token', 'The parameter token is missing.');

  const foreign = await foreignToken(gateway, token, actor.organizationId);
  const input = { secretHash: hashSecret(canonical(token)), foreign };
  const call = { actor, surface: 'oauth', requestId: request.id } as const;
  const operation = createRevokeByValue(gateway.credentials);
  const answered = await carryOut(gateway, operation, input, call);
  if (!('refused' in answered)) return unkept(200, {}, { 'revocation-id': answered.entry.id });
  const { refused } = answered;
  if (refused instanceof Unauthenticated) return words.unauthenticated(refused);
  if (refused instanceof PermissionDenied) return words.denied(refused);
  return new Refused(unkept(200, {}), refused);
}

/** A JWT as it was written: its signature has other spellings, which somebody may have seen in use. */
function canonical(token: string): string {
  const end = token.lastIndexOf('.') + 1;
  if (token.split('.').length !== 3) return token;
  return token.slice(0, end) + Buffer.from(token.slice(end), 'base64url').toString('base64url');
}

/** The JWT of others that a value is, where it is the organization's: one that is not good yet too. */
async function foreignToken(
  gateway: Gateway,
  token: string,
  organizationId: string,
): Promise<ForeignToken | undefined> {
  if (token.split('.').length !== 3) return undefined;
  const verified = await gateway.verify(token, { use: false, organizationId, provenOnly: true });
  if (verified instanceof Unauthenticated) return undefined;
  return verified.chain.at(-1)?.id === organizationId ? verified.foreign : undefined;
}
