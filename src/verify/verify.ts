import { createLocalJWKSet, jwtVerify } from 'jose';
import type { Kysely } from 'kysely';
import type { Revocable, Tables } from '../../db/tables.ts';
import type { TrustedIssuer } from '../config.ts';
import { isCutOff } from '../cut-offs.ts';
import type { SigningKeys } from '../keys/signing-keys.ts';
import { Unauthenticated, type UnauthenticatedReason } from '../refusals.ts';
import { hashSecret } from '../secrets.ts';
import { chainOf, permissionsOf, standing } from '../standing.ts';
import { ACCESS_TOKEN_TYPE } from '../tokens.ts';
import { assignedJwk } from './assigned-jwk.ts';
import { type ForeignJwt, readForeign, reasonOf, type Vouched } from './foreign.ts';
import { isTrusted, type Limits, limitsOf, spendUse, type UseCounter } from './limits.ts';
import type { RemoteKeys } from './remote-keys.ts';
import { trustedIssuer } from './trusted-issuer.ts';

/** In what situation something is presented. */
export interface Circumstances {
  /** From where it is used; undefined: that is not known, and not asked. */
  readonly address?: string | undefined;
  /** Whether this is a use, which counts, and not just a look. */
  readonly use: boolean;
  /** Whether this is a use that was counted before, and goes on: no count ends it. */
  readonly ongoing?: boolean;
  /** Whose JWKs of projects count; undefined: nobody's. */
  readonly organizationId?: string;
  /** Whether, of a JWT of others, only the origin is asked, and not whether it is good at this moment. */
  readonly provenOnly?: boolean;
  /** The only kinds that count; whatever else it is, is unknown. */
  readonly kinds?: ReadonlySet<string>;
}

/** A secret that this gateway issued, and that is good. */
export interface Issued {
  readonly kind: string;
  /** Its row and all above it, up to the organization. */
  readonly chain: readonly Revocable[];
  readonly name: string;
  readonly permissions: readonly string[];
  readonly limits: Limits | undefined;
  readonly foreign?: never;
}

/** What was presented, once it is known to be good. */
export type Verified = Issued | Vouched;

/**
 * Decides whether a secret or a token is good, whoever asks and through whatever surface. Reads the
 * rows every time: no verdict is kept.
 */
export type Verify = (
  token: string,
  circumstances: Circumstances,
) => Promise<Verified | Unauthenticated>;

export interface VerifyOptions extends UseCounter {
  readonly reader: Kysely<Tables>;
  readonly publicUrl: string;
  readonly signingKeys: SigningKeys;
  readonly trustedIssuers: readonly TrustedIssuer[];
  readonly remoteKeys: RemoteKeys;
}

export function createVerify(options: VerifyOptions): Verify {
  const { reader, now } = options;
  const issuers = new Map(
    options.trustedIssuers.map((issuer) => [issuer.issuer, trustedIssuer(options, issuer)]),
  );

  return async (token, circumstances) => {
    const jwt = token.split('.').length === 3;
    const chain = await chainOf(reader, 'secret_hash', hashSecret(token));
    if (chain.length > 0) {
      const issued = await ofOurs(chain, circumstances);
      return typeof issued === 'string' ? new Unauthenticated(issued, jwt) : issued;
    }
    if (!jwt) return new Unauthenticated(/[.\s]/.test(token) ? 'malformed' : 'unknown');
    const vouched = await ofOthers(token, circumstances);
    return typeof vouched === 'string' ? new Unauthenticated(vouched, true) : vouched;
  };

  async function ofOurs(
    chain: readonly Revocable[],
    { address, use, ongoing, kinds }: Circumstances,
  ): Promise<Issued | UnauthenticatedReason> {
    const [credential] = chain;
    if (credential === undefined || kinds?.has(credential.kind) === false) return 'unknown';
    const lost = standing(chain, now());
    if (lost !== undefined) return lost;
    const limits = await limitsOf(reader, chain);
    const name = chain.find((row) => row.name !== null)?.name ?? credential.id;
    if (limits !== undefined && limits.usesMax > 0 && !ongoing) {
      if (limits.uses >= limits.usesMax) return 'usedUp';
      // A use from a wrong address counts too, as it does at Infisical.
      if (use && !(await spendUse(options, credential, name))) return 'usedUp';
    }
    if (limits !== undefined && address !== undefined && !isTrusted(address, limits.trustedIps)) {
      return 'wrongAddress';
    }
    return {
      kind: credential.kind,
      chain,
      name,
      permissions: permissionsOf(chain),
      limits,
    };
  }

  /** A JWT that is no row here: of a trusted issuer, of a JWK of a project, or not to be believed. */
  async function ofOthers(
    token: string,
    circumstances: Circumstances,
  ): Promise<Vouched | UnauthenticatedReason> {
    const jwt = readForeign(token);
    if (typeof jwt === 'string') return jwt;
    try {
      const vouched = await vouch(jwt, circumstances);
      if (typeof vouched === 'string' || circumstances.provenOnly) return vouched;
      // Nothing stands above an organization.
      const lost = standing(vouched.chain, now());
      if (lost !== undefined) return lost === 'revoked' ? 'ownerRevoked' : lost;
      const id = vouched.chain.at(-1)?.id ?? '';
      return (await isCutOff(reader, id, vouched.foreign)) ? 'cutOff' : vouched;
    } catch (error) {
      return reasonOf(error);
    }
  }

  async function vouch(
    jwt: ForeignJwt,
    { organizationId, provenOnly = false }: Circumstances,
  ): Promise<Vouched | UnauthenticatedReason> {
    const issuer = issuers.get(jwt.claims.iss ?? '');
    if (issuer !== undefined) return await issuer(jwt, provenOnly);
    if (organizationId !== undefined) {
      return await assignedJwk(options, organizationId, jwt, provenOnly);
    }
    const keys = await options.signingKeys.published();
    await jwtVerify(jwt.token, createLocalJWKSet({ keys: [...keys] }), {
      issuer: options.publicUrl,
      audience: options.publicUrl,
      typ: ACCESS_TOKEN_TYPE,
      algorithms: ['EdDSA'],
      currentDate: new Date(now()),
    });
    // Signed by us and no row of ours: whatever it was, nothing vouches for it any more.
    return 'unknown';
  }
}
