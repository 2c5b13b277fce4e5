import { findBySlug } from '../find.ts';
import type { Kind } from '../kind.ts';

/** An account for programs. Its revocation ends every token of it. */
export const serviceAccount: Kind<'serviceAccountSlug', null, never> = {
  name: 'service-account',
  noun: 'service account',
  address: 'service account',
  input: { serviceAccountSlug: { description: 'The slug of the service account.' } },
  permissions: ['service-account:revoke'],
  refusals: [],

  async locate(db, organizationId, { serviceAccountSlug }) {
    const target = await findBySlug(db, organizationId, 'service-account', serviceAccountSlug);
    return target === undefined ? undefined : { target };
  },

  show: async () => null,
};
