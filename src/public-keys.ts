import { createPublicKey, type JsonWebKey } from 'node:crypto';

/** The shortest RSA key whose signatures count. */
export const RSA_BITS_MIN = 2048;

/** Members that only private and symmetric keys have (RFC 7518, 6). */
const secretMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'] as const;

/** Whether signatures can be checked with it: a private, a symmetric or a short key is a mistake. */
export function isPublicKey(jwk: JsonWebKey): boolean {
  if (secretMembers.some((member) => jwk[member] !== undefined)) return false;
  try {
    const { asymmetricKeyDetails } = createPublicKey({ key: jwk, format: 'jwk' });
    return (asymmetricKeyDetails?.modulusLength ?? RSA_BITS_MIN) >= RSA_BITS_MIN;
  } catch {
    return false;
  }
}
