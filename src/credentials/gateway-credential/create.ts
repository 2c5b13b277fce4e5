import { NameTaken } from '../../refusals.ts';
import { change, insert } from '../change.ts';
import { findBySlug } from '../find.ts';

export interface NewGatewayCredential {
  readonly id: string;
  readonly projectName: string;
  readonly username: string;
}

/** Makes a gateway credential of a project. */
export const createGatewayCredential = change<NewGatewayCredential, NameTaken>({
  kind: 'gateway-credential',
  address: 'project',
  refusals: [NameTaken],
  describe: ({ projectName, username }) => `${projectName}/${username}`,
  owner: (db, organizationId, { projectName }) =>
    findBySlug(db, organizationId, 'project', projectName),
  permissions: () => ['IDENTITY+MANAGE'],
  project: ({ projectName }) => projectName,
  make: async (tx, row, { username }, { owner }) =>
    (await findBySlug(tx, owner.id, 'gateway-credential', username)) === undefined
      ? insert(tx, { ...row, name: username, slug: username })
      : new NameTaken(),
});
