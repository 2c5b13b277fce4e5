import { deploymentField } from '../../graphql/deployment.ts';
import { revocableGraph } from '../../graphql/revocation.ts';
import { assignJwk } from '../jwk-assignment.ts';
import { assignJwkGraph } from '../jwk-assignment-graph.ts';
import { jwkValidation } from './kind.ts';

export const jwkValidationGraph = revocableGraph(jwkValidation, {
  type: 'JwkValidation',
  description: 'The assignment of a JWK to a gateway credential for validation and signing.',
  read: 'project:read',
  lists: [{ on: 'GatewayCredential', field: 'jwkValidations' }],
  mutation: 'unassignJwkValidation',
  mutationDescription:
    'Takes the JWK for validation and signing from a gateway credential, and tells every environment of the project. The JWK itself stays, and so does the one for encryption.',
  success: deploymentField,
});

export const assignJwkValidationGraph = assignJwkGraph(assignJwk('jwk-validation'), {
  mutation: 'assignJwkValidation',
  description:
    'Gives a gateway credential a JWK of its project for validation and signing, in place of the one that it had, and tells every environment of the project.',
  shows: { field: 'jwkValidation', type: 'JwkValidation' },
});
