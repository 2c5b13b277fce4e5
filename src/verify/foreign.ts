import { decodeJwt, decodeProtectedHeader, errors, type JWTPayload } from 'jose';
import type { Revocable } from '../../db/tables.ts';
import { signatureAlgorithms } from '../config.ts';
import type { ForeignToken } from '../cut-offs.ts';
import type { UnauthenticatedReason } from '../refusals.ts';
import { hashSecret } from '../secrets.ts';

/** By how much the clocks of those who sign JWTs may differ from ours. */
export const CLOCK_TOLERANCE_S = 5;

/** A JWT that is no row here, read but not yet believed. */
export interface ForeignJwt {
  readonly token: string;
  readonly keyId: string | undefined;
  readonly claims: JWTPayload;
}

/** What vouches for a JWT that is no row here. */
export interface Vouched {
  /** What the JWT stands on, up to its organization. */
  readonly chain: readonly Revocable[];
  readonly kind: 'trusted-token' | 'jwk-validation';
  readonly name: string;
  readonly permissions: readonly string[];
  readonly claims: JWTPayload;
  readonly foreign: ForeignToken;
}

/** Types of JWTs that may stand for their bearer (RFC 8725, 3.11); one that has no type may too. */
const bearerTypes = new Set(['jwt', 'at+jwt', 'application/at+jwt', 'application/jwt']);

/** A JWT in its one spelling (RFC 7515, 7.1): padding and blanks would make two of one. */
const compact = /^[\w-]+\.[\w-]+\.[\w-]*$/;

/** Reads a JWT as far as that needs no key. */
export function readForeign(token: string): ForeignJwt | UnauthenticatedReason {
  if (!compact.test(token)) return 'malformed';
  try {
    const { alg = '', kid, typ } = decodeProtectedHeader(token);
    const claims = decodeJwt(token);
    if (!(signatureAlgorithms as readonly string[]).includes(alg)) return 'algorithm';
    if (typ !== undefined && !bearerTypes.has(String(typ).toLowerCase())) return 'claims';
    return { token, keyId: typeof kid === 'string' ? kid : undefined, claims };
  } catch {
    return 'malformed';
  }
}

/**
 * What cut-offs go by, of a JWT whose signature is good. Without a `jti` it is what was signed that
 * counts: the signature itself has more than one spelling.
 */
export function foreignToken(
  { token, keyId, claims }: ForeignJwt,
  issuer: string,
  subject: string,
): ForeignToken {
  const { jti, iat } = claims;
  const signed = token.slice(0, token.lastIndexOf('.'));
  return {
    issuer,
    subject,
    keyId,
    tokenId: typeof jti === 'string' && jti !== '' ? jti : `sha256:${hashSecret(signed)}`,
    issuedAtMs: typeof iat === 'number' ? Math.floor(iat * 1000) : undefined,
  };
}

/** Whether it says that it comes from the future: it would escape every cut-off. */
export const isFromFuture = ({ iat }: JWTPayload, nowMs: number): boolean =>
  iat !== undefined && !(iat * 1000 <= nowMs + CLOCK_TOLERANCE_S * 1000);

/** The moment by which a JWT is checked of which only the origin is asked: it may begin later. */
export const onceBegun = ({ nbf }: JWTPayload, nowMs: number): number =>
  typeof nbf === 'number' ? Math.max(nowMs, nbf * 1000) : nowMs;

/** Why jose does not believe a JWT. What is no word about the JWT is thrown on. */
export function reasonOf(error: unknown): UnauthenticatedReason {
  if (error instanceof errors.JWTExpired) return 'expired';
  if (error instanceof errors.JWTClaimValidationFailed) return 'claims';
  if (error instanceof errors.JOSEAlgNotAllowed) return 'algorithm';
  if (error instanceof errors.JWSInvalid || error instanceof errors.JWTInvalid) return 'malformed';
  // A TypeError is jose's word for a key that no signature may be checked with, such as a short one,
  // and a DOMException the runtime's for what is no key at all.
  if (error instanceof errors.JOSEError || error instanceof TypeError) return 'signature';
  if (error instanceof DOMException) return 'signature';
  throw error;
}
