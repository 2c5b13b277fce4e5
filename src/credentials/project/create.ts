import { NameTaken } from '../../refusals.ts';
import { change, insert } from '../change.ts';
import { findBySlug } from '../find.ts';

/** Makes a project of an API gateway. */
export const createProject = change<
  { readonly id: string; readonly projectName: string },
  NameTaken
>({
  kind: 'project',
  refusals: [NameTaken],
  describe: ({ projectName }) => projectName,
  permissions: () => ['project:edit'],
  make: async (tx, row, { projectName }, { owner }) =>
    (await findBySlug(tx, owner.id, 'project', projectName)) === undefined
      ? insert(tx, { ...row, name: projectName, slug: projectName })
      : new NameTaken(),
});
