import { findBySlug } from '../find.ts';
import type { Kind } from '../kind.ts';

/** A token of a service account. Slugs are unique in an organization only: it comes from the caller. */
export const serviceAccountToken: Kind<'serviceAccountSlug' | 'tokenSlug', null, never> = {
  name: 'service-account-token',
  noun: 'service account token',
  address: 'service account token',
  input: {
    serviceAccountSlug: { description: 'The slug of the service account.' },
    tokenSlug: { description: 'The slug of the token.' },
  },
  permissions: ['service-account-token:revoke'],
  refusals: [],

  async locate(db, organizationId, { serviceAccountSlug, tokenSlug }) {
    const account = await findBySlug(db, organizationId, 'service-account', serviceAccountSlug);
    if (account === undefined) return undefined;
    const target = await findBySlug(db, account.id, 'service-account-token', tokenSlug);
    return target === undefined ? undefined : { target };
  },

  show: async () => null,
};
