import { createLocalJWKSet, type JSONWebKeySet, type JWTVerifyOptions, jwtVerify } from 'jose';
import type { Kysely } from 'kysely';
import type { Tables } from '../../db/tables.ts';
import { signatureAlgorithms, type TrustedIssuer } from '../config.ts';
import { findOrganization } from '../credentials/find.ts';
import type { UnauthenticatedReason } from '../refusals.ts';
import { isPlainText } from '../secrets.ts';
import {
  CLOCK_TOLERANCE_S,
  type ForeignJwt,
  foreignToken,
  isFromFuture,
  onceBegun,
  type Vouched,
} from './foreign.ts';
import type { RemoteKeys } from './remote-keys.ts';

/** How much of what an issuer calls a caller the ledger keeps, in characters. */
const SUBJECT_MAX = 200;

export interface TrustedIssuerOptions {
  readonly reader: Kysely<Tables>;
  readonly now: () => number;
  readonly remoteKeys: RemoteKeys;
}

/** Checks the JWTs of one trusted issuer, and maps its names to ours. Throws what jose throws. */
export function trustedIssuer(options: TrustedIssuerOptions, issuer: TrustedIssuer) {
  const keys =
    issuer.jwksUrl === undefined
      ? createLocalJWKSet({ keys: issuer.keys ?? [] } as JSONWebKeySet)
      : options.remoteKeys(issuer.jwksUrl);
  const checks: JWTVerifyOptions = {
    issuer: issuer.issuer,
    audience: issuer.audience,
    algorithms: issuer.algorithms ?? [...signatureAlgorithms],
    requiredClaims: ['exp', issuer.claims.subject, issuer.claims.organization],
    clockTolerance: CLOCK_TOLERANCE_S,
  };

  return async (jwt: ForeignJwt, provenOnly: boolean): Promise<Vouched | UnauthenticatedReason> => {
    const nowMs = options.now();
    const { payload } = await jwtVerify(jwt.token, keys, {
      ...checks,
      currentDate: new Date(provenOnly ? onceBegun(jwt.claims, nowMs) : nowMs),
    });
    const slug = payload[issuer.claims.organization];
    const subject = payload[issuer.claims.subject];
    if (!provenOnly && isFromFuture(payload, nowMs)) return 'claims';
    if (typeof slug !== 'string' || slug.includes('\0')) return 'claims';
    if (typeof subject !== 'string' || !isPlainText(subject)) return 'claims';
    if (issuer.organizations !== undefined && !issuer.organizations.includes(slug)) return 'claims';
    const organization = await findOrganization(options.reader, slug);
    if (organization === undefined) return 'claims';
    return {
      kind: 'trusted-token',
      chain: [organization],
      name: `${subject.slice(0, SUBJECT_MAX)} (${issuer.issuer})`,
      permissions: mapped(payload[issuer.claims.permissions], issuer.permissions),
      claims: payload,
      foreign: foreignToken(jwt, issuer.issuer, subject),
    };
  };
}

/** An issuer that has names of its own is given nothing for any other name, ours included. */
function mapped(claim: unknown, names: TrustedIssuer['permissions']): string[] {
  const list: unknown[] = typeof claim === 'string' ? claim.split(' ') : [claim].flat();
  const given = list.filter((name) => typeof name === 'string');
  if (names === undefined) return given;
  return given.flatMap((name) => (Object.hasOwn(names, name) ? (names[name] ?? []) : []));
}
