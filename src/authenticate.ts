import type { Actor } from './actor.ts';
import { Unauthenticated } from './refusals.ts';
import type { Verified, Verify } from './verify/verify.ts';

/**
 * Tells who a request is from, by its Authorization header and its address. Reads the database every
 * time, and counts as a use of the token.
 */
export type Authenticate = (
  header: string | undefined,
  address: string | undefined,
) => Promise<Actor | Unauthenticated>;

/** Kinds of credentials that may call this gateway; JWTs of trusted issuers may too. */
export const callers: ReadonlySet<string> = new Set([
  'access-token',
  'personal-access-token',
  'service-account-token',
]);

export function createAuthenticate(verify: Verify): Authenticate {
  return async (header, address) => {
    const token = bearerToken(header);
    if (token instanceof Unauthenticated) return token;
    const verified = await verify(token, { address, use: true, kinds: callers });
    return verified instanceof Unauthenticated ? verified : actorOf(verified);
  };
}

/** The token of an Authorization header (RFC 6750), or why there is none. */
export function bearerToken(header: string | undefined): string | Unauthenticated {
  if (header === undefined) return new Unauthenticated('missing');
  const match = /^Bearer(?: +(.*))?$/i.exec(header);
  if (match === null) return new Unauthenticated('scheme');
  const token = match[1] ?? '';
  return token === '' ? new Unauthenticated('empty') : token;
}

/** Who stands behind a credential that is good. */
export function actorOf({ chain, name, permissions, foreign }: Verified): Actor {
  const organization = chain.at(-1);
  return {
    credentialId: foreign === undefined ? (chain[0]?.id ?? null) : null,
    name,
    organizationId: organization?.id ?? '',
    organizationSlug: organization?.slug ?? '',
    permissions,
    ...(foreign && { foreign }),
  };
}
