import { type ChangeGraphSpec, changeGraph } from '../graphql/change.ts';
import { deploymentField } from '../graphql/deployment.ts';
import type { assignJwk, NewAssignment } from './jwk-assignment.ts';

/** The mutation that assigns a JWK for one use. */
export const assignJwkGraph = (
  operation: ReturnType<typeof assignJwk>,
  spec: Pick<ChangeGraphSpec<unknown, unknown>, 'mutation' | 'description' | 'shows'>,
) =>
  changeGraph(operation, {
    ...spec,
    inputDescription: 'Which JWK, and to which gateway credential.',
    success: deploymentField,
    fields: (t) => ({
      projectName: t.string({ required: true, description: 'The name of the project.' }),
      username: t.string({ required: true, description: 'The username of the credential.' }),
      jwkName: t.string({ required: true, description: 'The name of the JWK.' }),
    }),
    check: (_given: Omit<NewAssignment, 'id'>) => [],
    prepare: async (given, { gateway }) => ({ input: { ...given, id: gateway.newId() } }),
  });
