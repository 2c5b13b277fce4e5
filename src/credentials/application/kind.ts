import { locateById } from '../find.ts';
import type { Kind } from '../kind.ts';

/** An application that is called with API keys. Its revocation ends every key of it. */
export const application: Kind<'applicationId', null, never> = {
  name: 'application',
  noun: 'application',
  address: 'application',
  input: { applicationId: { description: 'The id of the application.' } },
  permissions: ['application:revoke'],
  refusals: [],
  // Spelled as its keys' addresses may spell it.
  locate: (db, organizationId, { applicationId }) =>
    locateById(db, organizationId, 'application', applicationId.toLowerCase()),
  show: async () => null,
};
