import { createPublicKey, type KeyObject } from 'node:crypto';
import type { signatureAlgorithms } from '../../config.ts';
import { RSA_BITS_MIN } from '../../public-keys.ts';

/** A key with which signatures can be checked, and by which algorithms. */
export interface PublicKey {
  readonly key: KeyObject;
  readonly algorithms: readonly (typeof signatureAlgorithms)[number][];
}

/** One block alone: createPublicKey would make a public key of a private one, and say nothing. */
const pem = /^\s*-----BEGIN ((?:RSA )?PUBLIC KEY)-----[A-Za-z0-9+/=\s]+-----END \1-----\s*$/;

/** Reads a public key from its PEM; undefined where it is none with which signatures may be checked. */
export function readPublicKey(text: string): PublicKey | undefined {
  if (!pem.test(text)) return undefined;
  try {
    const key = createPublicKey(text);
    const algorithms = algorithmsOf(key);
    return algorithms.length === 0 ? undefined : { key, algorithms };
  } catch {
    return undefined;
  }
}

/** Only those that fit the type of the key: HMAC by a public key is what an attacker would sign with. */
function algorithmsOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject) {
  if (asymmetricKeyType === 'ed25519') return ['EdDSA', 'Ed25519'] as const;
  if (asymmetricKeyType === 'ec') return curves[asymmetricKeyDetails?.namedCurve ?? ''] ?? [];
  const bits = asymmetricKeyType === 'rsa' ? (asymmetricKeyDetails?.modulusLength ?? 0) : 0;
  if (bits < RSA_BITS_MIN) return [];
  return ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const;
}

/** By OpenSSL's names. */
const curves: Record<string, PublicKey['algorithms']> = {
  prime256v1: ['ES256'],
  secp384r1: ['ES384'],
  secp521r1: ['ES512'],
};
