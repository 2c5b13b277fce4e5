import type { Revocable } from '../../../db/tables.ts';
import type { Performer } from '../../operation.ts';
import { hashSecret } from '../../secrets.ts';
import { permissionsOf } from '../../standing.ts';
import { signAccessToken, type TokenIssuer } from '../../tokens.ts';
import type { Issuance } from './create.ts';

/** The longest life of an identity's access token, in seconds, whatever its auth method says. */
export const TOKEN_LIFETIME_MAX_S = 7_776_000;

/** For how long a new token is good: the shortest of what is set. A period stands for both times. */
export function lifetimeS({ ttlS, maxTtlS, periodS }: Issuance): number {
  const set = periodS > 0 ? [periodS] : [ttlS, maxTtlS].filter((seconds) => seconds > 0);
  return Math.min(...set, TOKEN_LIFETIME_MAX_S);
}

/** An access token of an identity, signed but not kept: until it is, it is good for nothing. */
export interface Signed {
  readonly id: string;
  readonly token: string;
  readonly secretHash: string;
  readonly expiresAtMs: number;
}

/** Signs an access token for an identity, issued through one of its auth methods. */
export async function signForIdentity(
  gateway: TokenIssuer & Pick<Performer, 'now' | 'newId'>,
  identity: Revocable,
  methodId: string,
  organization: string,
  issuance: Issuance,
): Promise<Signed> {
  const id = gateway.newId();
  const issuedAtMs = gateway.now();
  const expiresAtMs = issuedAtMs + lifetimeS(issuance) * 1000;
  const token = await signAccessToken(gateway, {
    ...{ id, organization, issuedAtMs, expiresAtMs },
    subject: identity.id,
    permissions: permissionsOf([identity]),
    chain: [methodId, identity.id, identity.organization_id],
    usesLimited: issuance.usesMax > 0,
  });
  return { id, token, secretHash: hashSecret(token), expiresAtMs };
}
