import { findById } from '../find.ts';
import type { Kind } from '../kind.ts';

/**
 * A JWT that this gateway issued (RFC 9068): to a machine identity through one of its auth methods,
 * or to a caller from the command line. The id is its `jti`.
 */
export const accessToken: Kind<'tokenId', null, never> = {
  name: 'access-token',
  noun: 'access token',
  address: 'token',
  input: { tokenId: { description: 'The id of the token: its `jti`.' } },
  permissions: ['token:revoke'],
  refusals: [],

  async locate(db, organizationId, { tokenId }) {
    const target = await findById(db, organizationId, 'access-token', tokenId);
    return target === undefined ? undefined : { target };
  },

  show: async () => null,
};
