import { changeGraph } from '../../graphql/change.ts';
import { deploymentField } from '../../graphql/deployment.ts';
import { revocableGraph } from '../../graphql/revocation.ts';
import { checkPathName } from '../input.ts';
import { createGatewayCredential } from './create.ts';
import { gatewayCredential } from './kind.ts';

export const gatewayCredentialGraph = revocableGraph(gatewayCredential, {
  type: 'GatewayCredential',
  description: 'A credential with which an API gateway knows its clients.',
  read: 'project:read',
  lists: [{ on: 'Project', field: 'credentials' }],
  mutation: 'revokeGatewayCredential',
  mutationDescription:
    'Revokes a gateway credential, and tells every environment of the project: whatever JWKs it has count no more, and it gets no new one.',
  success: deploymentField,
});

export const createGatewayCredentialGraph = changeGraph(createGatewayCredential, {
  mutation: 'createGatewayCredential',
  description: 'Makes a gateway credential of a project.',
  inputDescription: 'In which project, and what the credential is called.',
  shows: { field: 'gatewayCredential', type: 'GatewayCredential' },
  fields: (t) => ({
    projectName: t.string({ required: true, description: 'The name of the project.' }),
    username: t.string({ required: true, description: 'Its name, in addresses too.' }),
  }),
  check: ({ username }: { projectName: string; username: string }) => [
    checkPathName('username', username),
  ],
  prepare: async ({ projectName, username }, { gateway }) => ({
    input: { id: gateway.newId(), projectName, username },
  }),
});
