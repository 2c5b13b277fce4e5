import type { JsonWebKey } from 'node:crypto';
import { isPublicKey } from '../../public-keys.ts';
import type { InvalidInput } from '../../refusals.ts';
import { problem } from '../input.ts';

/** How many keys a client may have at once, so that it can change them without a gap. */
export const CLIENT_KEYS_MAX = 10;
/** The longest public key as JSON, in characters. */
export const CLIENT_KEY_CHARS_MAX = 8 * 1024;

/** What is kept of a key: how signatures are checked with it, and no more. */
const members = ['kty', 'crv', 'x', 'y', 'n', 'e', 'kid', 'alg', 'use'];

/** Says no to keys with which no assertion could be checked; null: the client has a secret. */
export function checkPublicKeys(
  path: string,
  texts: readonly string[] | null,
): InvalidInput | undefined {
  if (texts === null) return undefined;
  if (texts.length < 1 || texts.length > CLIENT_KEYS_MAX) {
    return problem(path, `Must be 1 to ${CLIENT_KEYS_MAX} keys`);
  }
  return problem(
    path,
    texts.every((text) => readKey(text) !== undefined)
      ? undefined
      : `Each must be a public JWK as JSON, of at most ${CLIENT_KEY_CHARS_MAX} characters`,
  );
}

/** The keys as they are stored. They have been checked. */
export function publicKeysText(texts: readonly string[] | null): string | null {
  return texts === null ? null : JSON.stringify(texts.map(readKey));
}

function readKey(text: string): object | undefined {
  if (text.length > CLIENT_KEY_CHARS_MAX) return undefined;
  try {
    const jwk = JSON.parse(text) as JsonWebKey | null;
    if (jwk === null || !isPublicKey(jwk)) return undefined;
    return Object.fromEntries(
      Object.entries(jwk).filter(
        ([name, value]) => members.includes(name) && typeof value === 'string',
      ),
    );
  } catch {
    return undefined;
  }
}
