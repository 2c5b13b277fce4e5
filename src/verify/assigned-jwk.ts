import { importJWK, type JWK, type JWTVerifyOptions, jwtVerify } from 'jose';
import type { Kysely } from 'kysely';
import type { Tables } from '../../db/tables.ts';
import { signatureAlgorithms } from '../config.ts';
import type { UnauthenticatedReason } from '../refusals.ts';
import { chainOf, standing } from '../standing.ts';
import {
  CLOCK_TOLERANCE_S,
  type ForeignJwt,
  foreignToken,
  isFromFuture,
  reasonOf,
  type Vouched,
} from './foreign.ts';
import type { RemoteKeys } from './remote-keys.ts';

/** The `iss` by which cut-offs know the JWTs of a JWK of a project. */
export const jwkIssuer = (jwkId: string): string => `jwk:${jwkId}`;

/**
 * Checks a JWT that a gateway credential signed: `kid` names a JWK of the project that is assigned to
 * the credential for validation, `sub` is its username. The assignment and the JWK, and all above
 * both, must be good at this moment.
 *
 * @param organizationId whose JWKs count: another organization may have the same key and names
 */
export async function assignedJwk(
  options: {
    readonly reader: Kysely<Tables>;
    readonly now: () => number;
    readonly remoteKeys: RemoteKeys;
  },
  organizationId: string,
  jwt: ForeignJwt,
): Promise<Vouched | UnauthenticatedReason> {
  const { keyId, claims } = jwt;
  const { sub } = claims;
  if (keyId === undefined || keyId === '' || sub === undefined) return 'unknown';
  const candidates = await options.reader
    .selectFrom('jwks')
    .innerJoin('jwk_assignments', 'jwk_assignments.jwk_id', 'jwks.id')
    .innerJoin('revocables as assignment', 'assignment.id', 'jwk_assignments.id')
    .innerJoin('revocables as credential', 'credential.id', 'assignment.parent_id')
    .select(['jwks.id', 'jwks.public_jwk', 'jwks.url', 'assignment.id as assignmentId'])
    .where('jwks.kid', '=', keyId)
    .where('assignment.kind', '=', 'jwk-validation')
    .where('credential.slug', '=', sub)
    .where('credential.organization_id', '=', organizationId)
    .orderBy('assignment.id', 'desc')
    .execute();
  let reason: UnauthenticatedReason = 'unknown';
  for (const { id, public_jwk, url, assignmentId } of candidates) {
    const chain = await chainOf(options.reader, 'id', assignmentId);
    const nowMs = options.now();
    const checks: JWTVerifyOptions = {
      algorithms: [...signatureAlgorithms],
      requiredClaims: ['exp'],
      clockTolerance: CLOCK_TOLERANCE_S,
      currentDate: new Date(nowMs),
    };
    const local = JSON.parse(public_jwk) as JWK;
    try {
      await jwtVerify(jwt.token, await importJWK(local, local.alg ?? jwt.algorithm), checks);
      // A key that came from a URL counts for as long as it is published there.
      if (url !== null) await jwtVerify(jwt.token, options.remoteKeys(url), checks);
    } catch (error) {
      reason = reasonOf(error);
      continue;
    }
    if (isFromFuture(claims, nowMs)) return 'claims';
    const lost = standing(chain, nowMs) ?? standing(await chainOf(options.reader, 'id', id), nowMs);
    if (lost !== undefined) {
      reason = lost;
      continue;
    }
    return {
      kind: 'jwk-validation',
      chain,
      name: sub,
      permissions: [],
      claims,
      foreign: foreignToken(jwt, jwkIssuer(id), sub),
    };
  }
  return reason;
}
