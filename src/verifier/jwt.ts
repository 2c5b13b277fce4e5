import {
  createLocalJWKSet,
  decodeJwt,
  decodeProtectedHeader,
  errors,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
} from 'jose';
import { LRUCache } from 'lru-cache';
import type { Clock } from './clock.ts';
import type { Gateway } from './gateway.ts';
import type { Settings } from './options.ts';
import type { Credential, Known, Reason } from './verdict.ts';

/** Checks the signatures of the gateway's own access tokens here (RFC 9068), so that they need no asking. */
export interface Jwts {
  /**
   * What an access token says, whose signature is the gateway's. The reason where it is none that
   * counts; undefined where only the gateway can tell. Whether it is revoked is not looked at.
   *
   * @param key what the token is remembered by
   */
  check(token: string, key: string): Promise<Known | Reason | undefined>;
  /** Reads the gateway's keys anew: what is no longer among them counts no more. */
  refresh(): Promise<void>;
  /** Says which keys there are: every other counts no more from now on, and one that is new is read. */
  keysAre(keyIds: readonly string[]): void;
}

/** A key that the gateway has retired counts for so long here, where the feed does not say so before. */
const KEYS_MAX_AGE_MS = 30_000;

/** Time between two readings for keys that are not known. */
const KEYS_COOLDOWN_MS = 5_000;

const ACCESS_TOKEN_TYPE = 'at+jwt';
const ALGORITHM = 'EdDSA';

interface Issuer {
  readonly name: string;
  readonly keys: JWTVerifyGetKey;
  readonly keyIds: ReadonlySet<unknown>;
  /** Every other organization has the same issuer. */
  readonly organizationId: string | undefined;
  /** Signatures that were checked with these keys. */
  readonly checked: LRUCache<string, Known & { readonly credential: { readonly exp: number } }>;
}

export function createJwts(
  { cacheMax }: Settings,
  gateway: Gateway,
  clock: Clock,
  closing: AbortSignal,
): Jwts {
  let issuer: Issuer | undefined;
  let reading: Promise<void> | undefined;
  let readAtMs = Number.NEGATIVE_INFINITY;
  /** What the feed has said last of which keys there are. */
  let told: ReadonlySet<string> | undefined;
  const timer = setInterval(() => void refresh().catch(() => undefined), KEYS_MAX_AGE_MS);
  timer.unref();
  closing.addEventListener('abort', () => clearInterval(timer));

  function refresh(): Promise<void> {
    reading ??= read().finally(() => {
      reading = undefined;
    });
    return reading;
  }

  async function read(): Promise<void> {
    readAtMs = performance.now();
    const { issuer: name, keys, ownChain } = await gateway.metadata();
    issuer = {
      name,
      keys: createLocalJWKSet(keys),
      keyIds: new Set(keys.keys.map(({ kid }) => kid)),
      organizationId: ownChain.at(-1),
      checked: new LRUCache({ max: cacheMax }),
    };
  }

  function keysAre(keyIds: readonly string[]): void {
    const before = told;
    told = new Set(keyIds);
    // Among what was checked may be what a key has signed that is gone.
    if (before === undefined || before.difference(told).size > 0) issuer?.checked.clear();
    if (keyIds.some((keyId) => issuer?.keyIds.has(keyId) === false)) void readOnce();
  }

  /** Reads the keys for one that is not known, and not again and again. */
  async function readOnce(): Promise<void> {
    if (reading === undefined && performance.now() - readAtMs < KEYS_COOLDOWN_MS) return;
    await refresh().catch(() => undefined);
  }

  const isGone = (keyId: string) => told?.has(keyId) === false;

  /** Whether the key is one of the gateway's; one that is not known may be new. */
  async function hasKey(keyId: string): Promise<boolean> {
    if (isGone(keyId)) return false;
    if (issuer?.keyIds.has(keyId)) return true;
    await readOnce();
    return issuer?.keyIds.has(keyId) === true;
  }

  async function check(token: string, key: string): Promise<Known | Reason | undefined> {
    const checked = issuer?.checked.get(key);
    if (checked !== undefined) {
      return checked.credential.exp * 1000 > clock.nowMs() ? checked : 'expired';
    }
    const keyId = keyOfAccessToken(token, issuer?.name);
    if (keyId === undefined || !(await hasKey(keyId)) || issuer === undefined) return undefined;
    const { name, keys, organizationId, checked: remembered } = issuer;
    try {
      const { payload } = await jwtVerify(token, keys, {
        issuer: name,
        audience: name,
        typ: ACCESS_TOKEN_TYPE,
        algorithms: [ALGORITHM],
        requiredClaims: ['exp'],
        currentDate: new Date(clock.nowMs()),
      });
      const known = knownOf(payload);
      // Looked at again: checking takes its time.
      if (known === undefined || isGone(keyId)) return undefined;
      if (organizationId === undefined || known.chain.at(-1) !== organizationId) return 'invalid';
      remembered.set(key, known);
      return known;
    } catch (error) {
      return error instanceof errors.JWTExpired ? 'expired' : 'invalid';
    }
  }

  return { check, refresh, keysAre };
}

/** Which key is said to have signed an access token of this issuer; undefined where it is not said to be one. */
function keyOfAccessToken(token: string, issuer: string | undefined): string | undefined {
  const [, , signature, ...more] = token.split('.');
  if (issuer === undefined || signature === undefined || more.length > 0) return undefined;
  // A signature has other spellings, and the gateway knows the token by the one that it wrote.
  if (Buffer.from(signature, 'base64url').toString('base64url') !== signature) return undefined;
  try {
    const { typ, kid } = decodeProtectedHeader(token);
    const isAccessToken = typ?.toLowerCase().replace(/^application\//, '') === ACCESS_TOKEN_TYPE;
    return isAccessToken && decodeJwt(token).iss === issuer ? kid : undefined;
  } catch {
    return undefined;
  }
}

/** What claims of the gateway say; undefined where they leave open what the token stands on, or how often it may be used. */
function knownOf(claims: JWTPayload) {
  const { jti, exp, chain, permissions, organization, uses_limited } = claims;
  if (jti === undefined || exp === undefined || uses_limited !== undefined) return undefined;
  if (!isTexts(chain) || typeof organization !== 'string') return undefined;
  const { chain: _chain, ...said } = claims;
  const credential: Credential & { readonly exp: number } = {
    ...said,
    ...{ kind: 'access-token', organization, jti, exp },
    permissions: isTexts(permissions) ? permissions : [],
  };
  return { credential, chain: [jti, ...chain] };
}

export const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((each) => typeof each === 'string');
