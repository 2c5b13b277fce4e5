import {
  createLocalJWKSet,
  decodeJwt,
  decodeProtectedHeader,
  type JWK,
  type JWTPayload,
  type JWTVerifyOptions,
  jwtVerify,
} from 'jose';
import type { Revocable } from '../../db/tables.ts';
import { signatureAlgorithms } from '../config.ts';
import { checkTexts } from '../credentials/input.ts';
import type { Gateway } from '../gateway.ts';
import type { UnauthenticatedReason } from '../refusals.ts';
import { hashSecret } from '../secrets.ts';
import { chainOf, standing } from '../standing.ts';
import { CLOCK_TOLERANCE_S, isFromFuture, reasonOf } from '../verify/foreign.ts';

/** What `client_assertion_type` says (RFC 7523, 2.2). */
export const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** How far ahead an assertion may expire. */
export const ASSERTION_LIFE_MAX_S = 600;

/** Types that an assertion may have; one without a type is one too. */
const assertionTypes = new Set(['jwt', 'client-authentication+jwt']);

/** What an assertion is held against. */
export interface Expected {
  /** The `client_id` of the request, where it has one. */
  readonly named: string | undefined;
  /** By what names the gateway goes. */
  readonly audiences: readonly string[];
}

/** The client that signed an assertion, and all above it. Each assertion is accepted once. */
export async function clientOfAssertion(
  gateway: Gateway,
  assertion: string,
  { named, audiences }: Expected,
): Promise<readonly Revocable[] | UnauthenticatedReason> {
  const read = readAssertion(assertion);
  if (typeof read === 'string') return read;
  const { iss, sub } = read.claims;
  if (typeof sub !== 'string' || checkTexts(sub) !== undefined) return 'claims';
  if (iss !== sub || (named ?? sub) !== sub) return 'claims';
  const chain = await chainOf(gateway.reader, 'id', sub);
  if (chain[0]?.kind !== 'oauth-client') return 'unknown';
  const lost = standing(chain, gateway.now());
  if (lost !== undefined) return lost;

  const nowMs = gateway.now();
  const claims = await verified(assertion, read, await keysOf(gateway, sub), {
    issuer: sub,
    subject: sub,
    audience: [...audiences],
    algorithms: [...signatureAlgorithms],
    requiredClaims: ['exp', 'jti'],
    clockTolerance: CLOCK_TOLERANCE_S,
    currentDate: new Date(nowMs),
  });
  if (typeof claims === 'string') return claims;
  const { exp = 0, jti, aud } = claims;
  const latest = nowMs / 1000 + ASSERTION_LIFE_MAX_S + CLOCK_TOLERANCE_S;
  // One that is for others too could be theirs to present.
  if ([aud].flat().length !== 1 || !(exp <= latest) || isFromFuture(claims, nowMs)) return 'claims';
  if (typeof jti !== 'string' || jti === '') return 'claims';
  // jose looks at whole seconds: one more, so that it is kept for as long as it counts.
  const expiresAtMs = Math.ceil(exp + CLOCK_TOLERANCE_S + 1) * 1000;
  return (await spend(gateway, sub, jti, expiresAtMs)) ? chain : 'usedUp';
}

interface Read {
  readonly keyId: string | undefined;
  readonly claims: JWTPayload;
}

function readAssertion(assertion: string): Read | UnauthenticatedReason {
  try {
    const { alg = '', kid, typ } = decodeProtectedHeader(assertion);
    const claims = decodeJwt(assertion);
    if (!(signatureAlgorithms as readonly string[]).includes(alg)) return 'algorithm';
    const type = String(typ ?? 'jwt').toLowerCase();
    return assertionTypes.has(type) ? { keyId: kid, claims } : 'claims';
  } catch {
    return 'malformed';
  }
}

async function keysOf(gateway: Gateway, clientId: string): Promise<readonly JWK[]> {
  const row = await gateway.reader
    .selectFrom('oauth_clients')
    .select('public_keys')
    .where('id', '=', clientId)
    .executeTakeFirst();
  return JSON.parse(row?.public_keys ?? '[]') as JWK[];
}

/** What an assertion says once one of the keys has checked it, or why none has. */
async function verified(
  assertion: string,
  { keyId }: Read,
  keys: readonly JWK[],
  checks: JWTVerifyOptions,
): Promise<JWTPayload | UnauthenticatedReason> {
  let reason: UnauthenticatedReason = 'unknown';
  for (const jwk of keys) {
    // A key without a name goes by any.
    const key = createLocalJWKSet({ keys: [{ ...jwk, kid: jwk.kid ?? keyId ?? '' }] });
    try {
      return (await jwtVerify(assertion, key, checks)).payload;
    } catch (error) {
      reason = reasonOf(error);
    }
  }
  return reason;
}

/** Whether it is used for the first time, which is kept until it would not count anyway. */
async function spend(
  gateway: Gateway,
  clientId: string,
  jti: string,
  expiresAtMs: number,
): Promise<boolean> {
  return await gateway.writes.run(async (tx) => {
    const nowMs = gateway.now();
    await tx
      .deleteFrom('client_assertions')
      .where('client_id', '=', clientId)
      .where('expires_at_ms', '<=', nowMs)
      .execute();
    // While it waited, its first use may have been forgotten.
    if (expiresAtMs <= nowMs) return false;
    const { numInsertedOrUpdatedRows } = await tx
      .insertInto('client_assertions')
      .values({
        client_id: clientId,
        assertion_hash: hashSecret(jti),
        expires_at_ms: expiresAtMs,
      })
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirst();
    return numInsertedOrUpdatedRows === 1n;
  });
}
