import { changeGraph } from '../../graphql/change.ts';
import type { TypeSpec } from '../../graphql/types.ts';
import { checkPathName } from '../input.ts';
import { createProject } from './create.ts';

export const projectType: TypeSpec = {
  kind: 'project',
  type: 'Project',
  description: 'A project of an API gateway.',
  read: 'project:read',
  lists: [{ on: 'Me', field: 'projects' }],
};

export const createProjectGraph = changeGraph(createProject, {
  mutation: 'createProject',
  description: 'Makes a project of an API gateway.',
  inputDescription: 'What the project is called.',
  shows: { field: 'project', type: 'Project' },
  fields: (t) => ({
    projectName: t.string({ required: true, description: 'Its name, in addresses too.' }),
  }),
  check: ({ projectName }: { projectName: string }) => [checkPathName('projectName', projectName)],
  prepare: async ({ projectName }, { gateway }) => ({
    input: { id: gateway.newId(), projectName },
  }),
});
