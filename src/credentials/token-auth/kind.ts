import { Refusal } from '../../refusals.ts';
import { findById, findNewest } from '../find.ts';
import type { Kind } from '../kind.ts';

/** The identity has no Token Auth. */
export class TokenAuthNotConfigured extends Refusal {
  static readonly code = 'TOKEN_AUTH_NOT_CONFIGURED';
  static readonly description = 'The identity does not have Token Auth.';
  readonly code = TokenAuthNotConfigured.code;
  readonly message = 'The identity does not have Token Auth: attach it first.';
}

/** Token Auth of a machine identity: tokens made on request. Its revocation ends all of them. */
export const tokenAuth: Kind<'identityId', null, TokenAuthNotConfigured> = {
  name: 'token-auth',
  noun: 'Token Auth',
  address: 'identity',
  input: { identityId: { description: 'The id of the machine identity.' } },
  permissions: ['token-auth:revoke'],
  refusals: [TokenAuthNotConfigured],

  async locate(db, organizationId, { identityId }) {
    const identity = await findById(db, organizationId, 'identity', identityId);
    if (identity === undefined) return undefined;
    const newest = await findNewest(db, identity.id, 'token-auth');
    return { target: newest ?? new TokenAuthNotConfigured() };
  },

  show: async () => null,
};
