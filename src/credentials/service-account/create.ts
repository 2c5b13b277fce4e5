import { NameTaken } from '../../refusals.ts';
import { change, insert } from '../change.ts';
import { findBySlug } from '../find.ts';

export interface NewServiceAccount {
  readonly id: string;
  readonly name: string;
  readonly slug: string;
}

/** Makes a service account. */
export const createServiceAccount = change<NewServiceAccount, NameTaken>({
  kind: 'service-account',
  refusals: [NameTaken],
  describe: ({ slug }) => slug,
  permissions: () => ['service-account:edit'],
  make: async (tx, row, { name, slug }, { owner }) =>
    (await findBySlug(tx, owner.id, 'service-account', slug)) === undefined
      ? insert(tx, { ...row, name, slug })
      : new NameTaken(),
});
