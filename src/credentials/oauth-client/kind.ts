import { locateById } from '../find.ts';
import type { Kind } from '../kind.ts';

/** A client of the OAuth endpoints. Its revocation ends every token that it got. */
export const oauthClient: Kind<'clientId', null, never> = {
  name: 'oauth-client',
  noun: 'OAuth client',
  address: 'OAuth client',
  input: { clientId: { description: 'The id of the OAuth client.' } },
  permissions: ['oauth-client:revoke'],
  refusals: [],
  locate: (db, organizationId, { clientId }) =>
    locateById(db, organizationId, 'oauth-client', clientId),
  show: async () => null,
};
