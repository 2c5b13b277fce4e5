import {
  createLocalJWKSet,
  type JWK,
  type JWTPayload,
  type JWTVerifyOptions,
  jwtVerify,
} from 'jose';
import { type Kysely, sql } from 'kysely';
import type { Tables } from '../../db/tables.ts';
import { signatureAlgorithms } from '../config.ts';
import { isCutOff } from '../cut-offs.ts';
import type { UnauthenticatedReason } from '../refusals.ts';
import { isPlainText } from '../secrets.ts';
import { chainOf, standing } from '../standing.ts';
import { Unavailable } from '../unavailable.ts';
import {
  CLOCK_TOLERANCE_S,
  type ForeignJwt,
  foreignToken,
  isFromFuture,
  onceBegun,
  reasonOf,
  type Vouched,
} from './foreign.ts';
import type { RemoteKeys } from './remote-keys.ts';

/** The `iss` by which cut-offs know the JWTs of a JWK of a project. */
export const jwkIssuer = (jwkId: string): string => `jwk:${jwkId}`;

/** The id of the JWK that such an `iss` is of; undefined where it is another's. */
export const jwkOfIssuer = (issuer: string): string | undefined => /^jwk:(.+)$/.exec(issuer)?.[1];

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
 * @param provenOnly whether it is enough that the credential signed it, good or not
 */
export async function assignedJwk(
  options: Options,
  organizationId: string,
  jwt: ForeignJwt,
  provenOnly = false,
): Promise<Vouched | UnauthenticatedReason> {
  const { reader, now } = options;
  const { keyId, claims } = jwt;
  const { sub } = claims;
  if (keyId === undefined || keyId === '' || !isName(keyId) || !isName(sub)) return 'unknown';
  const candidates = await reader
    .selectFrom('jwks')
    .innerJoin('jwk_assignments', 'jwk_assignments.jwk_id', 'jwks.id')
    .innerJoin('revocables as assignment', 'assignment.id', 'jwk_assignments.id')
    .innerJoin('revocables as credential', 'credential.id', 'assignment.parent_id')
    .select(['jwks.id', 'jwks.public_jwk', 'jwks.url', 'assignment.id as assignmentId'])
    .select([
      'credential.id as credentialId',
      'assignment.issued_at_ms',
      'assignment.revoked_at_ms',
    ])
    .where('jwks.kid', '=', keyId)
    .where('assignment.kind', '=', 'jwk-validation')
    .where('credential.slug', '=', sub)
    // An expression, so that the search begins with the key: an organization has any number of rows.
    .where(sql<string>`credential.organization_id || ''`, '=', organizationId)
    .execute();
  const signers: Candidate[] = [];
  let reason: UnauthenticatedReason = 'unknown';
  for (const candidate of candidates.toSorted(liveFirst)) {
    const wrong = await checkSignature(candidate, jwt, provenOnly, now());
    if (wrong === undefined) signers.push(candidate);
    else reason = wrong;
  }
  const [first] = signers;
  if (first === undefined) return reason;
  if (provenOnly) return await vouchedBy(options, first, jwt, sub);

  if (isFromFuture(claims, now())) return 'claims';
  // What was cut off under one assignment is not revived by another of the same key and names.
  for (const { id } of signers) {
    const foreign = foreignToken(jwt, jwkIssuer(id), sub);
    if (await isCutOff(reader, organizationId, foreign)) return 'cutOff';
  }
  let lostBecause: UnauthenticatedReason | undefined;
  let unread: Unavailable | undefined;
  for (const signer of signers) {
    try {
      const lost = await lostBy(options, signer, candidates, jwt);
      if (lost === undefined) return await vouchedBy(options, signer, jwt, sub);
      lostBecause ??= lost;
    } catch (error) {
      // Another that has the same key may vouch all the same.
      if (!(error instanceof Unavailable)) throw error;
      unread = error;
    }
  }
  if (unread !== undefined) throw unread;
  return lostBecause ?? reason;
}

interface Candidate {
  readonly id: string;
  readonly public_jwk: string;
  readonly url: string | null;
  readonly assignmentId: string;
  readonly credentialId: string;
  readonly issued_at_ms: number;
  readonly revoked_at_ms: number | null;
}

const isName = (text: unknown): text is string => typeof text === 'string' && isPlainText(text);

/** Then the newest: a live one may have a lower id than one that is revoked. */
const liveFirst = (a: Candidate, b: Candidate) =>
  Number(a.revoked_at_ms !== null) - Number(b.revoked_at_ms !== null) ||
  (a.assignmentId < b.assignmentId ? 1 : -1);

const checksAt = (nowMs: number): JWTVerifyOptions => ({
  algorithms: [...signatureAlgorithms],
  requiredClaims: ['exp'],
  clockTolerance: CLOCK_TOLERANCE_S,
  currentDate: new Date(nowMs),
});

async function checkSignature(
  { public_jwk }: Candidate,
  { token, claims }: ForeignJwt,
  provenOnly: boolean,
  nowMs: number,
): Promise<UnauthenticatedReason | undefined> {
  try {
    const keys = createLocalJWKSet({ keys: [JSON.parse(public_jwk) as JWK] });
    await jwtVerify(token, keys, checksAt(provenOnly ? onceBegun(claims, nowMs) : nowMs));
    return undefined;
  } catch (error) {
    return reasonOf(error);
  }
}

/** Why a JWT whose signature is good does not count under this assignment; undefined where it does. */
async function lostBy(
  { reader, now, remoteKeys }: Options,
  signer: Candidate,
  all: readonly Candidate[],
  { token, claims }: ForeignJwt,
): Promise<UnauthenticatedReason | undefined> {
  const standingNow = async () =>
    standing(await chainOf(reader, 'id', signer.assignmentId), now()) ??
    standing(await chainOf(reader, 'id', signer.id), now());
  const lost = await standingNow();
  if (lost !== undefined) return lost;
  if (isRevived(signer, all, claims)) return 'cutOff';
  if (signer.url === null) return undefined;
  try {
    // A key that came from a URL counts for as long as it is published there.
    await jwtVerify(token, remoteKeys(signer.url), checksAt(now()));
  } catch (error) {
    return reasonOf(error);
  }
  // Reading keys elsewhere takes its time.
  return await standingNow();
}

/**
 * Whether the key was taken from the credential, and the JWT may be from before it was given back:
 * assigning it again revives nothing. Where `iat` leaves that open, it is.
 */
function isRevived(signer: Candidate, all: readonly Candidate[], { iat }: JWTPayload): boolean {
  const taken = all.some(
    (other) =>
      other.credentialId === signer.credentialId &&
      other.assignmentId !== signer.assignmentId &&
      other.revoked_at_ms !== null,
  );
  return taken && !(typeof iat === 'number' && Math.floor(iat * 1000) >= signer.issued_at_ms);
}

async function vouchedBy(
  { reader }: Options,
  { id, assignmentId }: Candidate,
  jwt: ForeignJwt,
  subject: string,
): Promise<Vouched> {
  return {
    kind: 'jwk-validation',
    chain: await chainOf(reader, 'id', assignmentId),
    name: subject,
    permissions: [],
    claims: jwt.claims,
    foreign: foreignToken(jwt, jwkIssuer(id), subject),
  };
}
