import { isIP } from 'node:net';
import type { Kysely, Selectable, Transaction } from 'kysely';
import type { AuthMethodsTable, Revocable, Tables } from '../../db/tables.ts';
import type { Permission } from '../permissions.ts';
import { type InvalidInput, Refusal } from '../refusals.ts';
import { permissionsOf } from '../standing.ts';
import { anywhere, parseTrustedIp, type TrustedIp } from '../verify/limits.ts';
import type { Issuance } from './access-token/create.ts';
import { findNewest } from './find.ts';
import { problem, together } from './input.ts';

/** The identity has this auth method, and it is not revoked. */
export class AuthMethodAlreadyConfigured extends Refusal {
  static readonly code = 'AUTH_METHOD_ALREADY_CONFIGURED';
  static readonly description = 'The identity has this auth method already.';
  readonly code = AuthMethodAlreadyConfigured.code;
  readonly message = 'The identity has this auth method already: change it, or revoke it first.';
}

/** The longest time that can be set for access tokens, in seconds. */
export const TTL_MAX_S = 315_360_000;
/** How long access tokens are good unless said, in seconds. */
export const TTL_DEFAULT_S = 2_592_000;
/** The greatest number of uses that can be set. */
export const USES_MAX = 2_147_483_647;
/** Addresses and ranges of one auth method. */
export const TRUSTED_IPS_MAX = 100;

/** What every auth method sets for the access tokens that are issued through it. */
export interface MethodSettings extends Issuance {
  readonly trustedIps: readonly TrustedIp[];
}

/** The same as a caller gives it; what is not given has its default, or stays as it is. */
export interface GivenMethod {
  readonly accessTokenTTL?: number | null;
  readonly accessTokenMaxTTL?: number | null;
  readonly accessTokenPeriod?: number | null;
  readonly accessTokenNumUsesLimit?: number | null;
  readonly accessTokenTrustedIps?: readonly string[] | null;
}

export const methodDefaults: MethodSettings = {
  ttlS: TTL_DEFAULT_S,
  maxTtlS: TTL_DEFAULT_S,
  periodS: 0,
  usesMax: 0,
  trustedIps: anywhere,
};

/** Says no to single values that no auth method can have. */
export const checkMethod = (given: GivenMethod): InvalidInput | undefined =>
  together(
    checkWhole('accessTokenTTL', given.accessTokenTTL, TTL_MAX_S),
    checkWhole('accessTokenMaxTTL', given.accessTokenMaxTTL, TTL_MAX_S),
    checkWhole('accessTokenPeriod', given.accessTokenPeriod, TTL_MAX_S),
    checkWhole('accessTokenNumUsesLimit', given.accessTokenNumUsesLimit, USES_MAX),
    checkTrustedIps(given.accessTokenTrustedIps),
  );

const checkWhole = (path: string, given: number | null | undefined, max: number) =>
  problem(
    path,
    given == null || (Number.isInteger(given) && given >= 0 && given <= max)
      ? undefined
      : `Must be a whole number from 0 to ${max}`,
  );

function checkTrustedIps(given: readonly string[] | null | undefined): InvalidInput | undefined {
  const path = 'accessTokenTrustedIps';
  if (given == null) return undefined;
  if (given.length < 1 || given.length > TRUSTED_IPS_MAX) {
    return problem(path, `Must be 1 to ${TRUSTED_IPS_MAX} addresses or ranges`);
  }
  const valid = given.every((text) => readTrustedIp(text) !== undefined);
  return problem(path, valid ? undefined : 'The IP is not a valid IPv4, IPv6, or CIDR block');
}

/** The short forms and zones that ipaddr.js takes too are nobody's trusted addresses. */
function readTrustedIp(text: string): TrustedIp | undefined {
  const [address = ''] = text.split('/');
  return isIP(address) === 0 || address.includes('%') ? undefined : parseTrustedIp(text);
}

/** The settings as they are once what is given has been put in. */
export const mergeMethod = (before: MethodSettings, given: GivenMethod): MethodSettings => ({
  ttlS: given.accessTokenTTL ?? before.ttlS,
  maxTtlS: given.accessTokenMaxTTL ?? before.maxTtlS,
  periodS: given.accessTokenPeriod ?? before.periodS,
  usesMax: given.accessTokenNumUsesLimit ?? before.usesMax,
  trustedIps:
    given.accessTokenTrustedIps?.flatMap((text) => readTrustedIp(text) ?? []) ?? before.trustedIps,
});

/** Says no to a time to live beyond the longest one; 0 is no limit. */
export const checkLifetimes = (
  { ttlS, maxTtlS }: Issuance,
  message: string,
): InvalidInput | undefined =>
  problem('accessTokenTTL', maxTtlS > 0 && ttlS > maxTtlS ? message : undefined);

export type AuthMethodDetail = Selectable<AuthMethodsTable>;

/** How auth methods issue, in no order. */
export const authMethodDetails = (
  db: Kysely<Tables>,
  ids: readonly string[],
): Promise<AuthMethodDetail[]> =>
  db.selectFrom('auth_methods').selectAll().where('id', 'in', ids).execute();

export const settingsOf = (detail: AuthMethodDetail): MethodSettings => ({
  ttlS: detail.access_token_ttl_s,
  maxTtlS: detail.access_token_max_ttl_s,
  periodS: detail.access_token_period_s,
  usesMax: detail.access_token_num_uses_limit,
  trustedIps: JSON.parse(detail.access_token_trusted_ips) as TrustedIp[],
});

const columnsOf = (settings: MethodSettings, nowMs: number) => ({
  access_token_ttl_s: settings.ttlS,
  access_token_max_ttl_s: settings.maxTtlS,
  access_token_period_s: settings.periodS,
  access_token_num_uses_limit: settings.usesMax,
  access_token_trusted_ips: JSON.stringify(settings.trustedIps),
  updated_at_ms: nowMs,
});

/** Inserts the settings of a new auth method. */
export async function insertMethod(
  tx: Transaction<Tables>,
  { id, issued_at_ms }: Revocable,
  settings: MethodSettings,
): Promise<void> {
  await tx
    .insertInto('auth_methods')
    .values({ id, ...columnsOf(settings, issued_at_ms) })
    .execute();
}

/** Changes the settings of an auth method. Trusted addresses count at once, the rest for new tokens. */
export async function updateMethod(
  tx: Transaction<Tables>,
  id: string,
  settings: MethodSettings,
  nowMs: number,
): Promise<void> {
  await tx
    .updateTable('auth_methods')
    .set(columnsOf(settings, nowMs))
    .where('id', '=', id)
    .execute();
}

/** The auth method of this kind that an identity has and nobody has revoked. */
export async function liveMethod(
  db: Kysely<Tables>,
  identityId: string,
  kind: 'jwt-auth' | 'token-auth',
): Promise<Revocable | undefined> {
  const newest = await findNewest(db, identityId, kind);
  return newest?.revoked_at_ms === null ? newest : undefined;
}

/** What is needed to get hold of an identity: all that it may do too, so that nobody gains by it. */
export const withBoundary = (permission: Permission, identity: Revocable | undefined): string[] => [
  permission,
  ...permissionsOf(identity === undefined ? [] : [identity]),
];
