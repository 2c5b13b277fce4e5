import { type ChangeGraphSpec, changeGraph } from '../graphql/change.ts';
import { deploymentField } from '../graphql/deployment.ts';
import { checkInput } from './input.ts';
import type { assignJwk, NewAssignment } from './jwk-assignment.ts';

const input = {
  projectName: { description: 'The name of the project.' },
  username: { description: 'The username of the gateway credential.' },
  jwkName: { description: 'The name of the JWK in the project.' },
};

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
      projectName: t.string({ required: true, ...input.projectName }),
      username: t.string({ required: true, ...input.username }),
      jwkName: t.string({ required: true, ...input.jwkName }),
    }),
    check: (given: Omit<NewAssignment, 'id'>) => [checkInput({ input }, given)],
    prepare: async (given, { gateway }) => ({ input: { ...given, id: gateway.newId() } }),
  });
