import { locateById } from '../find.ts';
import type { Kind } from '../kind.ts';

/** A machine identity. Its revocation ends every auth method and every token of it. */
export const identity: Kind<'identityId', null, never> = {
  name: 'identity',
  noun: 'machine identity',
  address: 'identity',
  input: { identityId: { description: 'The id of the machine identity.' } },
  permissions: ['identity:revoke'],
  refusals: [],
  locate: (db, organizationId, { identityId }) =>
    locateById(db, organizationId, 'identity', identityId),
  show: async () => null,
};
