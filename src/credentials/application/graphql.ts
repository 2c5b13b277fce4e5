import { changeGraph } from '../../graphql/change.ts';
import { revocableGraph } from '../../graphql/revocation.ts';
import { checkName } from '../input.ts';
import { createApplication } from './create.ts';
import { application } from './kind.ts';

export const applicationGraph = revocableGraph(application, {
  type: 'Application',
  description: 'An application that is called with API keys.',
  read: 'application:read',
  lists: [{ on: 'Me', field: 'applications' }],
  mutation: 'revokeApplication',
  mutationDescription:
    'Revokes an application: every API key of it is refused from then on, and it gets no new one.',
});

export const createApplicationGraph = changeGraph(createApplication, {
  mutation: 'createApplication',
  description: 'Makes an application.',
  inputDescription: 'What the application is called.',
  shows: { field: 'application', type: 'Application' },
  fields: (t) => ({
    name: t.string({ required: true, description: 'What people call it.' }),
  }),
  check: ({ name }: { name: string }) => [checkName('name', name)],
  prepare: async ({ name }, { gateway }) => ({ input: { id: gateway.newId(), name } }),
});
