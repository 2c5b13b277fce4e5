import { revocableGraph } from '../../graphql/revocation.ts';
import { type Deployment, deploymentOf } from './deployment.ts';
import { jwkValidation } from './kind.ts';

type EnvironmentResult = Deployment['environmentResults'][number];

export const jwkValidationGraph = revocableGraph(jwkValidation, {
  type: 'JwkValidation',
  description: 'The assignment of a JWK to a gateway credential for validation and signing.',
  read: 'project:read',
  lists: [{ on: 'GatewayCredential', field: 'jwkValidations' }],
  mutation: 'unassignJwkValidation',
  mutationDescription:
    'Takes the JWK for validation and signing from a gateway credential, and tells every environment of the project. The JWK itself stays, and so does the one for encryption.',
  success: (t, builder) => {
    const result = builder.objectRef<EnvironmentResult>('EnvironmentResult').implement({
      description: 'What became of telling one environment.',
      fields: (e) => ({
        environmentName: e.exposeString('environmentName', { description: 'The environment.' }),
        success: e.exposeBoolean('success', { description: 'Whether it has acknowledged.' }),
        message: e.exposeString('message', { description: 'What happened, for people.' }),
      }),
    });
    const deployment = builder.objectRef<Deployment>('Deployment').implement({
      description: 'What became of telling the environments; the revocation stands either way.',
      fields: (d) => ({
        success: d.exposeBoolean('success', { description: 'Whether all have acknowledged.' }),
        message: d.exposeString('message', { description: 'What happened, for people.' }),
        environmentResults: d.field({
          type: [result],
          description: 'Each environment of the project.',
          resolve: ({ environmentResults }) => [...environmentResults],
        }),
      }),
    });
    return {
      deployment: t.field({
        type: deployment,
        description: 'What became of telling the environments of the project.',
        resolve: ({ attempts }) => deploymentOf(attempts),
      }),
    };
  },
});
