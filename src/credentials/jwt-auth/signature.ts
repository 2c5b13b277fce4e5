import {
  decodeJwt,
  decodeProtectedHeader,
  errors,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
} from 'jose';
import { signatureAlgorithms } from '../../config.ts';
import type { RemoteKeys } from '../../verify/remote-keys.ts';
import { denied, LoginRefused } from './login-refused.ts';
import { readPublicKey } from './public-key.ts';
import type { JwtAuthSettings } from './settings.ts';

/** What checking a signature needs of the gateway. */
export interface SignatureChecker {
  readonly now: () => number;
  readonly remoteKeys: RemoteKeys;
}

/** What a JWT says, once its signature is good and it is the time for it. */
export async function checkSignature(
  gateway: SignatureChecker,
  { configurationType, jwksUrl, publicKeys }: JwtAuthSettings,
  jwt: string,
): Promise<JWTPayload | LoginRefused> {
  if (!isReadable(jwt)) return new LoginRefused(401, 'Invalid JWT');
  const currentDate = new Date(gateway.now());
  if (configurationType === 'jwks') {
    const keys = gateway.remoteKeys(jwksUrl);
    const read = await verified(jwt, keys, signatureAlgorithms, currentDate);
    return typeof read === 'string' ? denied(read) : read;
  }
  const reasons: string[] = [];
  for (const pem of publicKeys) {
    const { key, algorithms } = readPublicKey(pem) ?? never(pem);
    const read = await verified(jwt, () => key, algorithms, currentDate);
    if (typeof read !== 'string') return read;
    reasons.push(read);
  }
  return denied(`JWT verification failed with all keys. Errors - ${reasons.join('; ')}`);
}

/** The payload, or what jsonwebtoken, which Infisical uses, says is wrong. */
async function verified(
  jwt: string,
  key: JWTVerifyGetKey,
  algorithms: readonly string[],
  currentDate: Date,
): Promise<JWTPayload | string> {
  if (jwt.endsWith('.')) return 'jwt signature is required';
  const checks = { algorithms: [...algorithms], requiredClaims: ['exp'], currentDate };
  try {
    return (await jwtVerify(jwt, key, checks)).payload;
  } catch (error) {
    return textOf(error, decodeProtectedHeader(jwt).kid);
  }
}

/** What is no word about the JWT is thrown on. */
function textOf(error: unknown, keyId: unknown): string {
  if (error instanceof errors.JOSEAlgNotAllowed) return 'invalid algorithm';
  if (error instanceof errors.JWTExpired) return 'jwt expired';
  if (error instanceof errors.JWTClaimValidationFailed) {
    const { claim, reason } = error;
    const early = claim === 'nbf' && reason === 'check_failed';
    return early ? 'jwt not active' : `invalid ${claim} value`;
  }
  if (error instanceof errors.JWKSNoMatchingKey) {
    return `Unable to find a signing key that matches '${keyId}'`;
  }
  if (error instanceof errors.JWKSMultipleMatchingKeys) {
    return 'No KID specified and JWKS endpoint returned more than 1 key';
  }
  // A TypeError is jose's word for a key that no signature may be checked with, such as a short one.
  if (error instanceof errors.JWSSignatureVerificationFailed || error instanceof TypeError) {
    return 'invalid signature';
  }
  if (error instanceof errors.JOSEError) return 'invalid token';
  throw error;
}

function isReadable(jwt: string): boolean {
  try {
    decodeProtectedHeader(jwt);
    decodeJwt(jwt);
    return true;
  } catch {
    return false;
  }
}

function never(pem: string): never {
  throw new Error(`A public key that was kept is none: ${pem}`);
}
