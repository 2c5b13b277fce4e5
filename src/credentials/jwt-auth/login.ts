import type { Revocable } from '../../../db/tables.ts';
import type { Actor } from '../../actor.ts';
import type { Gateway } from '../../gateway.ts';
import { perform } from '../../operation.ts';
import { chainOf, permissionsOf, standing } from '../../standing.ts';
import { createToken } from '../access-token/create.ts';
import { signForIdentity } from '../access-token/issue.ts';
import { findNewest } from '../find.ts';
import { jwtAuthDetails } from './kind.ts';
import { LoginRefused } from './login-refused.ts';
import { checkPolicy } from './policy.ts';
import { jwtAuthSettings } from './settings.ts';
import { checkSignature } from './signature.ts';

/** Somebody who is not known yet, and says to be an identity. */
export interface Login {
  readonly identityId: string;
  /** Of an issuer outside. */
  readonly jwt: string;
  /** The organization in which the identity is looked for, where that is said. */
  readonly organizationSlug?: string | null | undefined;
}

/** An access token, and the times that are set for it, in seconds. */
export interface LoggedIn {
  readonly accessToken: string;
  readonly expiresIn: number;
  readonly accessTokenMaxTTL: number;
}

/**
 * Exchanges a JWT of an issuer outside for an access token of the identity, as its JWT Auth says. The
 * token is on disk once this resolves; nothing is told of an identity that has no JWT Auth.
 */
export async function login(
  gateway: Gateway,
  { identityId, jwt, organizationSlug }: Login,
  { requestId }: { readonly requestId: string },
): Promise<LoggedIn | LoginRefused> {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const done = await tryLogin(gateway, { identityId, jwt, organizationSlug }, requestId);
    if (done !== 'changed') return done;
  }
  return notConfigured();
}

/** How often it is looked at again, where the JWT Auth changes while keys are read. */
const TRIES_MAX = 3;

async function tryLogin(
  gateway: Gateway,
  { identityId, jwt, organizationSlug }: Login,
  requestId: string,
): Promise<LoggedIn | LoginRefused | 'changed'> {
  const { reader } = gateway;
  const newest = await findNewest(reader, identityId, 'jwt-auth');
  const chain = newest === undefined ? [] : await chainOf(reader, 'id', newest.id);
  const [method, identity] = chain;
  const organization = chain.at(-1);
  const [detail] = method === undefined ? [] : await jwtAuthDetails(reader, [method.id]);
  if (!method || !identity || !organization?.slug || !detail) return notConfigured();
  if (method.revoked_at_ms !== null) return notConfigured();
  if (organizationSlug != null && organizationSlug !== organization.slug) return notConfigured();
  if (standing(chain, gateway.now()) !== undefined) {
    return new LoginRefused(401, 'Identity not found');
  }

  const settings = jwtAuthSettings(detail);
  const payload = await checkSignature(gateway, settings, jwt);
  if (payload instanceof LoginRefused) return payload;
  const refused = checkPolicy(settings, payload);
  if (refused !== undefined) return refused;

  const { ttlS, maxTtlS, periodS, usesMax } = settings;
  const issuance = { ttlS, maxTtlS, periodS, usesMax };
  const signed = await signForIdentity(gateway, identity, method.id, organization.slug, issuance);
  const input = {
    ...{ id: signed.id, issuerId: method.id, issuerKind: 'jwt-auth' as const, issuance },
    ...{ secretHash: signed.secretHash, expiresAtMs: signed.expiresAtMs },
    ...{ name: null, permissions: null, needed: [], issuerUpdatedAtMs: detail.updated_at_ms },
  };
  const actor = actorOf(method, identity, organization.slug);
  const call = { actor, surface: 'rest', requestId } as const;
  const performed = await perform(gateway, createToken, input, call);
  if ('refused' in performed) return 'changed';
  return { accessToken: signed.token, expiresIn: ttlS, accessTokenMaxTTL: maxTtlS };
}

const notConfigured = () =>
  new LoginRefused(404, 'JWT auth method not found for identity, did you configure JWT auth?');

/** The identity itself, by way of its JWT Auth. */
const actorOf = (method: Revocable, identity: Revocable, organizationSlug: string): Actor => ({
  credentialId: method.id,
  name: identity.name ?? identity.id,
  organizationId: identity.organization_id,
  organizationSlug,
  permissions: permissionsOf([identity]),
});
