import { SignJWT } from 'jose';
import type { SigningKey } from './keys.ts';

/** The type of our access tokens (RFC 9068): no other JWT that we sign has it. */
export const ACCESS_TOKEN_TYPE = 'at+jwt';

/** What signing an access token needs. */
export interface TokenIssuer {
  readonly publicUrl: string;
  readonly signingKey: SigningKey;
}

/** What an access token says. */
export interface AccessTokenClaims {
  /** `jti`, and the id of the row. */
  id: string;
  subject: string;
  /** The slug of the organization. */
  organization: string;
  permissions: readonly string[];
  issuedAtMs: number;
  expiresAtMs: number;
}

/** Signs a JWT access token (RFC 9068, `at+jwt`, EdDSA). It counts only while its row is good. */
export async function signAccessToken(
  issuer: TokenIssuer,
  claims: AccessTokenClaims,
): Promise<string> {
  return await new SignJWT({
    client_id: claims.subject,
    ...(claims.permissions.length > 0 && { scope: claims.permissions.join(' ') }),
    organization: claims.organization,
    permissions: claims.permissions,
  })
    .setProtectedHeader({ alg: 'EdDSA', typ: ACCESS_TOKEN_TYPE, kid: issuer.signingKey.kid })
    .setIssuer(issuer.publicUrl)
    .setAudience(issuer.publicUrl)
    .setSubject(claims.subject)
    .setJti(claims.id)
    .setIssuedAt(Math.floor(claims.issuedAtMs / 1000))
    .setExpirationTime(Math.floor(claims.expiresAtMs / 1000))
    .sign(issuer.signingKey.privateKey);
}
