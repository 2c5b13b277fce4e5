import type { Actor } from '../../actor.ts';
import type { Gateway } from '../../gateway.ts';
import { OwnerRevoked } from '../../refusals.ts';
import { authMethodDetails, liveMethod, settingsOf, withBoundary } from '../auth-method.ts';
import { change } from '../change.ts';
import { findById } from '../find.ts';
import { TokenAuthNotConfigured } from '../token-auth/kind.ts';
import { type Issuance, insertToken } from './create.ts';
import { signForIdentity } from './issue.ts';

/** An access token that is asked for, signed as the identity's Token Auth says. */
export interface RequestedToken {
  /** Its `jti`. */
  readonly id: string;
  readonly identityId: string;
  readonly name: string | null;
  /** Undefined where there was no Token Auth to sign it for. */
  readonly signed:
    | {
        readonly methodId: string;
        readonly secretHash: string;
        readonly expiresAtMs: number;
        readonly issuance: Issuance;
      }
    | undefined;
}

/**
 * Keeps an access token of an identity that was made on request. The Token Auth for which it was
 * signed must still be the identity's, and good, at that moment.
 */
export const createRequestedToken = change<RequestedToken, TokenAuthNotConfigured | OwnerRevoked>({
  kind: 'access-token',
  address: 'identity',
  refusals: [TokenAuthNotConfigured],
  describe: ({ identityId, id }) => `${identityId}/${id}`,
  owner: (db, organizationId, { identityId }) =>
    findById(db, organizationId, 'identity', identityId),
  permissions: (_input, identity) => withBoundary('token:create', identity),

  async make(tx, row, { name, signed }, { owner }) {
    const method = await liveMethod(tx, owner.id, 'token-auth');
    if (method === undefined || signed === undefined) return new TokenAuthNotConfigured();
    if (method.id !== signed.methodId) return new OwnerRevoked();
    const { secretHash, expiresAtMs, issuance } = signed;
    const child = { ...row, parent_id: method.id };
    return insertToken(tx, child, { name, permissions: null, secretHash, expiresAtMs, issuance });
  },
});

/** Signs what is asked for, as far as there is an identity and a Token Auth to sign it for. */
export async function requestToken(
  gateway: Gateway,
  { organizationId, organizationSlug }: Actor,
  { identityId, name }: { readonly identityId: string; readonly name: string | null },
): Promise<{ input: RequestedToken; secret?: string }> {
  const { reader } = gateway;
  const identity = await findById(reader, organizationId, 'identity', identityId);
  const method = identity && (await liveMethod(reader, identity.id, 'token-auth'));
  const [detail] = method === undefined ? [] : await authMethodDetails(reader, [method.id]);
  if (identity === undefined || detail === undefined) {
    return { input: { id: gateway.newId(), identityId, name, signed: undefined } };
  }
  const { ttlS, maxTtlS, periodS, usesMax } = settingsOf(detail);
  const issuance = { ttlS, maxTtlS, periodS, usesMax };
  const { id, token, secretHash, expiresAtMs } = await signForIdentity(
    gateway,
    identity,
    detail.id,
    organizationSlug,
    issuance,
  );
  const signed = { methodId: detail.id, secretHash, expiresAtMs, issuance };
  return { input: { id, identityId, name, signed }, secret: token };
}
