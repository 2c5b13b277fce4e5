import {
  type CryptoKey,
  createRemoteJWKSet,
  customFetch,
  errors,
  type JWTVerifyGetKey,
} from 'jose';
import { LRUCache } from 'lru-cache';
import type { Outbound } from '../outbound.ts';
import { Unavailable } from '../unavailable.ts';

/**
 * For how long keys are believed once they are read. With the time that reading takes, a key that is
 * gone from a JWKS counts no more after 30 s; jose alone takes 600 s.
 */
export const JWKS_MAX_AGE_MS = 25_000;
const JWKS_COOLDOWN_MS = 5_000;
export const JWKS_TIMEOUT_MS = 5_000;
/** Distinct JWKS URLs whose keys are kept. */
const JWKS_URLS_MAX = 1_000;

/** The keys that are published at a URL, each URL read at most as often as its age asks for. */
export type RemoteKeys = (url: string) => JWTVerifyGetKey;

/** Reads JWKS through the guarded `fetch`. What cannot be read is `Unavailable`, not a bad token. */
export function createRemoteKeys(outbound: Outbound): RemoteKeys {
  const known = new LRUCache<string, JWTVerifyGetKey>({ max: JWKS_URLS_MAX });

  return (url) => {
    const present = known.get(url);
    if (present !== undefined) return present;
    const remote = createRemoteJWKSet(new URL(url), {
      cacheMaxAge: JWKS_MAX_AGE_MS,
      cooldownDuration: JWKS_COOLDOWN_MS,
      timeoutDuration: JWKS_TIMEOUT_MS,
      [customFetch]: (address, init) =>
        outbound(address, init as never) as unknown as Promise<Response>,
    });
    const keys: JWTVerifyGetKey = async (header, token): Promise<CryptoKey> => {
      try {
        return await remote(header, token);
      } catch (error) {
        // What the JWT asks for is not among the keys, or not one of them: its own fault.
        if (error instanceof errors.JWKSNoMatchingKey) throw error;
        if (error instanceof errors.JWKSMultipleMatchingKeys) throw error;
        throw new Unavailable(`The keys at ${url} could not be read`, { cause: error });
      }
    };
    known.set(url, keys);
    return keys;
  };
}
