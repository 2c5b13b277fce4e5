import { SignJWT } from 'jose';
import type { SigningKeys } from './keys/signing-keys.ts';

/** The type of our access tokens (RFC 9068): no other JWT that we sign has it. */
export const ACCESS_TOKEN_TYPE = 'at+jwt';

/** The type of our signed introspections (RFC 9701): none of them is taken for an access token. */
const INTROSPECTION_TYPE = 'token-introspection+jwt';

/** With what we sign. */
export const SIGNING_ALGORITHM = 'EdDSA';

/** What signing an access token needs. */
export interface TokenIssuer {
  readonly publicUrl: string;
  readonly signingKeys: SigningKeys;
}

/** What an access token says. */
export interface AccessTokenClaims {
  /** `jti`, and the id of the row. */
  id: string;
  subject: string;
  /** The slug of the organization. */
  organization: string;
  permissions: readonly string[];
  /** The ids of the rows above it, from its parent up to the organization. */
  chain: readonly string[];
  /** Whether it may be used only so often: then nobody can tell by the token alone. */
  usesLimited?: boolean;
  issuedAtMs: number;
  expiresAtMs: number;
}

/** Signs a JWT access token (RFC 9068, `at+jwt`, EdDSA). It counts only while its row is good. */
export async function signAccessToken(
  issuer: TokenIssuer,
  claims: AccessTokenClaims,
): Promise<string> {
  const scope = scopeOf(claims.permissions);
  const { kid, privateKey } = await issuer.signingKeys.current();
  return await new SignJWT({
    client_id: claims.subject,
    ...(scope !== undefined && { scope }),
    organization: claims.organization,
    permissions: claims.permissions,
    chain: claims.chain,
    ...(claims.usesLimited && { uses_limited: true }),
  })
    .setProtectedHeader({ alg: SIGNING_ALGORITHM, typ: ACCESS_TOKEN_TYPE, kid })
    .setIssuer(issuer.publicUrl)
    .setAudience(issuer.publicUrl)
    .setSubject(claims.subject)
    .setJti(claims.id)
    .setIssuedAt(Math.floor(claims.issuedAtMs / 1000))
    .setExpirationTime(Math.floor(claims.expiresAtMs / 1000))
    .sign(privateKey);
}

/** Signs what introspection says of a token, for whoever asked (RFC 9701, 5). */
export async function signIntrospection(
  issuer: TokenIssuer,
  said: {
    readonly audience: string;
    readonly issuedAtMs: number;
    readonly introspection: object;
  },
): Promise<string> {
  const { kid, privateKey } = await issuer.signingKeys.current();
  return await new SignJWT({ token_introspection: said.introspection })
    .setProtectedHeader({ alg: SIGNING_ALGORITHM, typ: INTROSPECTION_TYPE, kid })
    .setIssuer(issuer.publicUrl)
    .setAudience(said.audience)
    .setIssuedAt(Math.floor(said.issuedAtMs / 1000))
    .sign(privateKey);
}

/**
 * Permissions as a `scope` (RFC 6749, 3.3); undefined where there are none. One that a scope cannot
 * hold is left out: a blank in it would pass for two permissions.
 */
export function scopeOf(permissions: readonly string[]): string | undefined {
  const tokens = permissions.filter((permission) => /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(permission));
  return tokens.length === 0 ? undefined : tokens.join(' ');
}
