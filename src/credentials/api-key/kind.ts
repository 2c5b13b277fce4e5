import { findById } from '../find.ts';
import type { Kind } from '../kind.ts';

/** A key with which an application is called. Other keys of the application keep working. */
export const apiKey: Kind<'applicationId' | 'keyId', null, never> = {
  name: 'api-key',
  noun: 'API key',
  address: 'API key',
  input: {
    applicationId: { description: 'The id of the application (UUID).', uuid: true },
    keyId: { description: 'The id of the API key (UUID).', uuid: true },
  },
  permissions: ['api-key:revoke'],
  refusals: [],

  async locate(db, organizationId, { applicationId, keyId }) {
    // A UUID has one canonical spelling, and callers have two.
    const target = await findById(db, organizationId, 'api-key', keyId.toLowerCase());
    if (target === undefined || target.parent_id !== applicationId.toLowerCase()) return undefined;
    return { target };
  },

  show: async () => null,
};
