import {
  type CryptoKey,
  createLocalJWKSet,
  createRemoteJWKSet,
  customFetch,
  decodeJwt,
  decodeProtectedHeader,
  errors,
  importJWK,
  type JSONWebKeySet,
  type JWTPayload,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
  jwtVerify,
} from 'jose';
import type { Kysely } from 'kysely';
import type { Revocable, Tables } from '../db/tables.ts';
import type { Actor } from './actor.ts';
import { signatureAlgorithms, type TrustedIssuer } from './config.ts';
import { findOrganization } from './credentials/find.ts';
import type { SigningKey } from './keys.ts';
import type { Outbound } from './outbound.ts';
import { Unauthenticated, type UnauthenticatedReason } from './refusals.ts';
import { hashSecret, isPlainText } from './secrets.ts';
import { chainOf, permissionsOf, standing } from './standing.ts';
import { Unavailable } from './unavailable.ts';

/** Tells who a request is from, by its Authorization header. Reads the database every time. */
export type Authenticate = (header: string | undefined) => Promise<Actor | Unauthenticated>;

export interface AuthenticateOptions {
  readonly reader: Kysely<Tables>;
  readonly now: () => number;
  readonly publicUrl: string;
  readonly signingKey: SigningKey;
  readonly trustedIssuers: readonly TrustedIssuer[];
  readonly outbound: Outbound;
}

/** Kinds of credentials that may call this gateway. */
const callers = new Set(['access-token', 'personal-access-token', 'service-account-token']);

/** For how long a key that a trusted issuer has removed from its JWKS may still be believed. */
export const JWKS_MAX_AGE_MS = 30_000;
const JWKS_COOLDOWN_MS = 5_000;
const JWKS_TIMEOUT_MS = 5_000;
const CLOCK_TOLERANCE_S = 5;

export function createAuthenticate(options: AuthenticateOptions): Authenticate {
  const issuers = new Map(
    options.trustedIssuers.map((issuer) => [issuer.issuer, outsideIssuer(options, issuer)]),
  );

  return async (header) => {
    if (header === undefined) return new Unauthenticated('missing');
    const match = /^Bearer(?: +(.*))?$/i.exec(header);
    if (match === null) return new Unauthenticated('scheme');
    const token = match[1] ?? '';
    if (token === '') return new Unauthenticated('empty');

    const jwt = token.split('.').length === 3;
    const chain = await chainOf(options.reader, 'secret_hash', hashSecret(token));
    if (chain.length > 0) return actorOf(chain, options.now(), jwt);
    if (!jwt) return new Unauthenticated(/[.\s]/.test(token) ? 'malformed' : 'unknown');
    const reason = await foreignJwt(token);
    return typeof reason === 'string' ? new Unauthenticated(reason, true) : reason;
  };

  /** A JWT that is no row here: of a trusted issuer, or not to be believed. */
  async function foreignJwt(token: string): Promise<Actor | UnauthenticatedReason> {
    let algorithm: string | undefined;
    let claimed: JWTPayload;
    try {
      algorithm = decodeProtectedHeader(token).alg;
      claimed = decodeJwt(token);
    } catch {
      return 'malformed';
    }
    if (!(signatureAlgorithms as readonly unknown[]).includes(algorithm)) return 'algorithm';
    const issuer = issuers.get(claimed.iss ?? '');
    try {
      if (issuer !== undefined) return await issuer(token);
      await jwtVerify(token, await importJWK(options.signingKey.publicJwk), {
        issuer: options.publicUrl,
        audience: options.publicUrl,
        algorithms: ['EdDSA'],
        currentDate: new Date(options.now()),
      });
      // Signed by us and no row of ours: whatever it was, nothing vouches for it any more.
      return 'unknown';
    } catch (error) {
      return reasonOf(error);
    }
  }
}

function actorOf(chain: Revocable[], nowMs: number, jwt: boolean): Actor | Unauthenticated {
  const [credential] = chain;
  const organization = chain.at(-1);
  if (credential === undefined || organization === undefined || !callers.has(credential.kind)) {
    return new Unauthenticated('unknown', jwt);
  }
  const reason = standing(chain, nowMs);
  if (reason !== undefined) return new Unauthenticated(reason, jwt);
  return {
    credentialId: credential.id,
    name: chain.find((row) => row.name !== null)?.name ?? credential.id,
    organizationId: organization.id,
    organizationSlug: organization.slug ?? '',
    permissions: permissionsOf(chain),
  };
}

/** Checks the JWTs of one trusted issuer, and maps its names to ours. */
function outsideIssuer(options: AuthenticateOptions, issuer: TrustedIssuer) {
  const keys = keysOf(options, issuer);
  const checks: JWTVerifyOptions = {
    issuer: issuer.issuer,
    audience: issuer.audience,
    algorithms: issuer.algorithms ?? [...signatureAlgorithms],
    requiredClaims: ['exp', issuer.claims.subject, issuer.claims.organization],
    clockTolerance: CLOCK_TOLERANCE_S,
  };

  return async (token: string): Promise<Actor | UnauthenticatedReason> => {
    const { payload } = await jwtVerify(token, keys, {
      ...checks,
      currentDate: new Date(options.now()),
    });
    const slug = payload[issuer.claims.organization];
    const subject = payload[issuer.claims.subject];
    if (typeof slug !== 'string' || slug.includes('\0')) return 'claims';
    if (typeof subject !== 'string' || !isPlainText(subject)) return 'claims';
    if (issuer.organizations !== undefined && !issuer.organizations.includes(slug)) return 'claims';
    const organization = await findOrganization(options.reader, slug);
    if (organization === undefined) return 'claims';
    // Nothing stands above an organization.
    if (standing([organization], options.now()) !== undefined) return 'ownerRevoked';
    return {
      credentialId: null,
      name: `${subject.slice(0, SUBJECT_MAX)} (${issuer.issuer})`,
      organizationId: organization.id,
      organizationSlug: slug,
      permissions: mapped(payload[issuer.claims.permissions], issuer.permissions),
    };
  };
}

/** How much of what an issuer calls a caller the ledger keeps, in characters. */
const SUBJECT_MAX = 200;

/** An issuer that has names of its own is given nothing for any other name, ours included. */
function mapped(claim: unknown, names: TrustedIssuer['permissions']): string[] {
  const list: unknown[] = typeof claim === 'string' ? claim.split(' ') : [claim].flat();
  const given = list.filter((name) => typeof name === 'string');
  if (names === undefined) return given;
  return given.flatMap((name) => (Object.hasOwn(names, name) ? (names[name] ?? []) : []));
}

function keysOf(options: AuthenticateOptions, issuer: TrustedIssuer): JWTVerifyGetKey {
  if (issuer.jwksUrl === undefined) {
    return createLocalJWKSet({ keys: issuer.keys ?? [] } as JSONWebKeySet);
  }
  const remote = createRemoteJWKSet(new URL(issuer.jwksUrl), {
    cacheMaxAge: JWKS_MAX_AGE_MS,
    cooldownDuration: JWKS_COOLDOWN_MS,
    timeoutDuration: JWKS_TIMEOUT_MS,
    [customFetch]: (url, init) =>
      options.outbound(url, init as never) as unknown as Promise<Response>,
  });
  return async (header, token): Promise<CryptoKey> => {
    try {
      return await remote(header, token);
    } catch (error) {
      // What the JWT asks for is not among the keys, or not one of them: its own fault.
      if (error instanceof errors.JWKSNoMatchingKey) throw error;
      if (error instanceof errors.JWKSMultipleMatchingKeys) throw error;
      throw new Unavailable(`The keys of ${issuer.issuer} could not be read`, { cause: error });
    }
  };
}

function reasonOf(error: unknown): UnauthenticatedReason {
  if (error instanceof errors.JWTExpired) return 'expired';
  if (error instanceof errors.JWTClaimValidationFailed) return 'claims';
  if (error instanceof errors.JOSEAlgNotAllowed) return 'algorithm';
  if (error instanceof errors.JWSInvalid || error instanceof errors.JWTInvalid) return 'malformed';
  // A TypeError is jose's word for a key that no signature may be checked with, such as a short one.
  if (error instanceof errors.JOSEError || error instanceof TypeError) return 'signature';
  throw error;
}
