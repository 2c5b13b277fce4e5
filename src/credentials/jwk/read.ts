import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose';
import { z } from 'zod';
import type { Outbound } from '../../outbound.ts';
import { isPublicKey } from '../../public-keys.ts';
import type { NewJwk } from './create.ts';

/** Algorithms for which key pairs can be made: to sign with, and to encrypt to. */
export const jwkAlgorithms = [
  ...['EdDSA', 'ES256', 'ES384', 'ES512', 'RS256', 'PS256'],
  ...['RSA-OAEP-256', 'ECDH-ES'],
] as const;

const encryption = new Set(['RSA-OAEP-256', 'ECDH-ES']);

const publicJwk = z
  .looseObject({ kty: z.enum(['OKP', 'EC', 'RSA']), kid: z.string().min(1).max(200).optional() })
  .refine(isPublicKey);

const jwks = z.object({ keys: z.array(z.looseObject({})) });

type Read = Pick<NewJwk, 'publicJwk' | 'source' | 'url'>;

/** Why there is no key to be had, in words for the caller. */
export class NoKey extends Error {
  override readonly name = 'NoKey';
}

/** Makes a key pair; the private half is shown once and kept nowhere. */
export async function generateJwk(algorithm: string): Promise<Read & { privateJwk: string }> {
  const pair = await generateKeyPair(algorithm, { extractable: true });
  const meta = { alg: algorithm, use: encryption.has(algorithm) ? 'enc' : 'sig' };
  const bare = await exportJWK(pair.publicKey);
  const kid = await calculateJwkThumbprint(bare);
  return {
    publicJwk: { ...bare, kid, ...meta },
    source: 'generated',
    url: null,
    privateJwk: JSON.stringify({ ...(await exportJWK(pair.privateKey)), kid, ...meta }),
  };
}

/** Reads a JWK from its JSON (RFC 7517). */
export async function pastedJwk(text: string): Promise<Read> {
  const { data } = z
    .string()
    .transform((json, context): unknown => {
      try {
        return JSON.parse(json);
      } catch {
        context.addIssue({ code: 'custom', message: 'no JSON' });
        return z.NEVER;
      }
    })
    .pipe(publicJwk)
    .safeParse(text);
  if (data === undefined) throw new NoKey('Must be the JSON of a public JWK, EC, OKP or RSA');
  return { publicJwk: await named(data as JWK), source: 'pasted', url: null };
}

/** Time that a URL has to answer with its keys. */
const FETCH_TIMEOUT_MS = 5_000;

/** Reads a key from the JWKS at a URL: the only one, or the one with this `kid`. */
export async function jwkAt(
  outbound: Outbound,
  url: string,
  keyId: string | undefined,
): Promise<Read> {
  const keys = await fetchKeys(outbound, url);
  const found = keys.filter((key) => keyId === undefined || key.kid === keyId);
  const [key] = found;
  if (key === undefined) throw new NoKey('There is no such public key at this URL');
  if (found.length > 1) throw new NoKey('There are several keys at this URL: say keyId');
  // It is found there again by its kid.
  if (key.kid === undefined) throw new NoKey('The key at this URL has no kid');
  return { publicJwk: await named(key), source: 'url', url };
}

async function fetchKeys(outbound: Outbound, url: string): Promise<JWK[]> {
  let body: unknown;
  try {
    const signal = AbortSignal.timeout(FETCH_TIMEOUT_MS);
    const response = await outbound(url, { signal, headers: { accept: 'application/json' } });
    body = response.ok ? await response.json() : await response.body?.cancel();
  } catch {
    // Nothing of what lies there is told.
    throw new NoKey('No JWKS could be read from this URL');
  }
  const { data } = jwks.safeParse(body);
  if (data === undefined) throw new NoKey('No JWKS could be read from this URL');
  return data.keys.filter((key) => publicJwk.safeParse(key).success) as JWK[];
}

const named = async (jwk: JWK): Promise<NewJwk['publicJwk']> => ({
  ...jwk,
  kid: jwk.kid ?? (await calculateJwkThumbprint(jwk)),
});
