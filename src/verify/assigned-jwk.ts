import { createLocalJWKSet, type JWK, type JWTVerifyOptions, jwtVerify } from 'jose';
import type { Kysely } from 'kysely';
import type { Tables } from '../../db/tables.ts';
import { signatureAlgorithms } from '../config.ts';
import { isCutOff } from '../cut-offs.ts';
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

interface Options {
  readonly reader: Kysely<Tables>;
  readonly now: () => number;
  readonly remoteKeys: RemoteKeys;
}

/**
 * Checks a JWT that a gateway credential signed: `kid` names a JWK of the project that is assigned to
 * the credential for validation, `sub` is its username. The assignment and the JWK, and all above
 * both, must be good at this moment.
 *
 * @param organizationId whose JWKs count: another organization may have the same key and names
 */
export async function assignedJwk(
  options: Options,
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
    .select('credential.organization_id')
    .where('jwks.kid', '=', keyId)
    .where('assignment.kind', '=', 'jwk-validation')
    .where('credential.slug', '=', sub)
    .where('credential.organization_id', '=', organizationId)
    .execute();
  let reason: UnauthenticatedReason = 'unknown';
  for (const candidate of candidates.toSorted(newestFirst)) {
    const vouched = await vouchedBy(options, candidate, jwt, sub);
    if (typeof vouched !== 'string') return vouched;
    // What was cut off under one assignment is not revived by another of the same key and names.
    if (vouched === 'cutOff') return vouched;
    reason = vouched;
  }
  return reason;
}

interface Candidate {
  readonly id: string;
  readonly organization_id: string;
  readonly public_jwk: string;
  readonly url: string | null;
  readonly assignmentId: string;
}

const newestFirst = (a: Candidate, b: Candidate) => (a.assignmentId < b.assignmentId ? 1 : -1);

async function vouchedBy(
  { reader, now, remoteKeys }: Options,
  { id, organization_id, public_jwk, url, assignmentId }: Candidate,
  jwt: ForeignJwt,
  subject: string,
): Promise<Vouched | UnauthenticatedReason> {
  const { token, claims } = jwt;
  const checks: JWTVerifyOptions = {
    algorithms: [...signatureAlgorithms],
    requiredClaims: ['exp'],
    clockTolerance: CLOCK_TOLERANCE_S,
    currentDate: new Date(now()),
  };
  const foreign = foreignToken(jwt, jwkIssuer(id), subject);
  const standingNow = async () => {
    const chain = await chainOf(reader, 'id', assignmentId);
    const lost = standing(chain, now()) ?? standing(await chainOf(reader, 'id', id), now());
    return { chain, lost };
  };
  try {
    await jwtVerify(token, createLocalJWKSet({ keys: [JSON.parse(public_jwk) as JWK] }), checks);
    if (isFromFuture(claims, now())) return 'claims';
    if (await isCutOff(reader, organization_id, foreign)) return 'cutOff';
    if (url !== null) {
      const { lost } = await standingNow();
      if (lost !== undefined) return lost;
      // A key that came from a URL counts for as long as it is published there.
      await jwtVerify(token, remoteKeys(url), checks);
    }
  } catch (error) {
    return reasonOf(error);
  }
  // Read last: reading keys elsewhere takes its time.
  const { chain, lost } = await standingNow();
  if (lost !== undefined) return lost;
  return { kind: 'jwk-validation', chain, name: subject, permissions: [], claims, foreign };
}
