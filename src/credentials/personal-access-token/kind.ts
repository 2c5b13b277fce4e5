import { findById } from '../find.ts';
import type { Kind } from '../kind.ts';

/** An opaque token with which a person or a script calls this gateway. */
export const personalAccessToken: Kind<'personalAccessTokenId', null, never> = {
  name: 'personal-access-token',
  noun: 'personal access token',
  address: 'personal access token',
  input: { personalAccessTokenId: { description: 'The id of the personal access token.' } },
  permissions: ['personal-access-token:revoke'],
  refusals: [],

  async locate(db, organizationId, { personalAccessTokenId }) {
    const target = await findById(
      db,
      organizationId,
      'personal-access-token',
      personalAccessTokenId,
    );
    return target === undefined ? undefined : { target };
  },

  show: async () => null,
};
