import { decodeJwt, type JWTPayload } from 'jose';
import { callers } from '../authenticate.ts';
import { scopeOf } from '../tokens.ts';
import { jwkOfIssuer } from '../verify/assigned-jwk.ts';
import type { Vouched } from '../verify/foreign.ts';
import { ipText, isEverywhere } from '../verify/limits.ts';
import { JWKS_MAX_AGE_MS } from '../verify/remote-keys.ts';
import type { Issued, Verified } from '../verify/verify.ts';

/** What is said of a value that is good: RFC 7662's members, and three of our own. */
interface Active {
  readonly active: true;
  readonly scope?: string | undefined;
  readonly client_id?: string | undefined;
  readonly username: string;
  readonly token_type?: 'Bearer' | undefined;
  /** Times in seconds since 1970. */
  readonly exp?: number | undefined;
  readonly iat?: number | undefined;
  readonly nbf?: number | undefined;
  readonly sub?: string | undefined;
  readonly aud?: string | readonly string[] | undefined;
  readonly iss?: string | undefined;
  readonly jti?: string | undefined;
  /** The slug of the organization. */
  readonly organization: string;
  readonly credential_kind: string;
  /** Of a JWT of a gateway credential: the name of the project that the credential is in. */
  readonly project?: string | undefined;
  /** From where it may be used, where that is not everywhere and was not asked for. */
  readonly trusted_ips?: readonly string[] | undefined;
}

/** What an enforcement point must know besides, to keep what is said of a value that is good. */
interface Keeping {
  /** The ids of all that it stands on: when one of them ends, or changes, it is to be asked again. */
  readonly chain: readonly string[];
  /** Where the ledger ended before it was looked at. */
  readonly position: number;
  /** Each use counts, so nothing may be kept. */
  readonly uses_limited?: true | undefined;
  /** Others issued it. */
  readonly foreign?: true | undefined;
  /** For how many seconds it may be kept, since keys of others are not in the feed. */
  readonly max_age?: number | undefined;
}

export type Introspection = (Active & Partial<Keeping>) | { readonly active: false };

/** Describes a value that is good. */
export function describeActive(
  publicUrl: string,
  token: string,
  verified: Verified,
  address: string | undefined,
): Active {
  const { kind, name, permissions, chain } = verified;
  const said =
    verified.foreign === undefined ? ofIssued(publicUrl, token, verified) : ofClaims(verified);
  return {
    active: true,
    scope: scopeOf(permissions),
    client_id: said.client_id,
    username: name,
    token_type: callers.has(kind) || kind === 'trusted-token' ? 'Bearer' : undefined,
    exp: said.exp,
    iat: said.iat,
    nbf: said.nbf,
    sub: said.sub,
    aud: said.aud,
    iss: said.iss,
    jti: said.jti,
    organization: chain.at(-1)?.slug ?? '',
    credential_kind: kind,
    project: kind === 'jwk-validation' ? (chain.at(-2)?.slug ?? undefined) : undefined,
    trusted_ips: address === undefined ? restrictionOf(verified) : undefined,
  };
}

/** Describes how long it may be relied upon that a value is good. */
export function describeKeeping(verified: Verified, position: number): Keeping {
  const { kind, chain, foreign } = verified;
  const limits = foreign === undefined ? verified.limits : undefined;
  const jwk = kind === 'jwk-validation' ? jwkOfIssuer(verified.foreign?.issuer ?? '') : undefined;
  return {
    chain: [...chain.map(({ id }) => id), ...(jwk === undefined ? [] : [jwk])],
    position,
    uses_limited: (limits?.usesMax ?? 0) > 0 ? true : undefined,
    ...(foreign && { foreign: true, max_age: JWKS_MAX_AGE_MS / 1000 }),
  };
}

type Said = Pick<Active, 'client_id' | 'exp' | 'iat' | 'nbf' | 'sub' | 'aud' | 'iss' | 'jti'>;

/** Of what we issued, the rows say until when it is good; a JWT says the rest. */
function ofIssued(publicUrl: string, token: string, { kind, chain }: Issued): Said {
  const [row, parent] = chain;
  let endsMs = Number.POSITIVE_INFINITY;
  for (const { expires_at_ms } of chain) endsMs = Math.min(endsMs, expires_at_ms ?? endsMs);
  // A client is who it is; any other secret speaks for what it belongs to.
  const owner = kind === 'oauth-client' ? row?.id : parent?.id;
  const named =
    kind === 'access-token'
      ? namesIn(decodeJwt(token))
      : { client_id: owner, sub: owner, iss: publicUrl };
  return {
    ...named,
    jti: row?.id,
    iat: inSeconds(row?.issued_at_ms),
    exp: endsMs === Number.POSITIVE_INFINITY ? undefined : inSeconds(endsMs),
  };
}

const inSeconds = (ms: number | undefined) =>
  ms === undefined ? undefined : Math.floor(ms / 1000);

/**
 * Of a JWT of others, its claims, as far as they are what RFC 7519 has them be. Whoever holds a JWK of a
 * project may write any issuer: none is repeated.
 */
const ofClaims = ({ kind, claims }: Vouched): Said => ({
  ...namesIn(claims),
  ...(kind === 'jwk-validation' && { iss: undefined }),
  jti: text(claims.jti),
  iat: seconds(claims.iat),
  exp: seconds(claims.exp),
  nbf: seconds(claims.nbf),
});

const namesIn = ({ client_id, sub, aud, iss }: JWTPayload): Said => ({
  client_id: text(client_id),
  sub: text(sub),
  aud: typeof aud === 'string' || isTexts(aud) ? aud : undefined,
  iss: text(iss),
});

const text = (claim: unknown) => (typeof claim === 'string' ? claim : undefined);
const seconds = (claim: unknown) => (typeof claim === 'number' ? Math.floor(claim) : undefined);
const isTexts = (claim: unknown): claim is string[] =>
  Array.isArray(claim) && claim.every((each) => typeof each === 'string');

/** The addresses from which alone it may be used; undefined: from all. */
function restrictionOf(verified: Verified): readonly string[] | undefined {
  const trustedIps = 'limits' in verified ? verified.limits?.trustedIps : undefined;
  return trustedIps === undefined || isEverywhere(trustedIps) ? undefined : trustedIps.map(ipText);
}
