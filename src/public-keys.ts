import { createPublicKey, type JsonWebKey } from 'node:crypto';

/** The shortest RSA key whose signatures count. */
export const RSA_BITS_MIN = 2048;

/** Whether signatures can be checked with it: a private, a symmetric or a short key is a mistake. */
export function isPublicKey(jwk: JsonWebKey): boolean {
  if (jwk.d !== undefined || jwk.k !== undefined) return false;
  try {
    const { asymmetricKeyDetails } = createPublicKey({ key: jwk, format: 'jwk' });
    return (asymmetricKeyDetails?.modulusLength ?? RSA_BITS_MIN) >= RSA_BITS_MIN;
  } catch {
    return false;
  }
}
