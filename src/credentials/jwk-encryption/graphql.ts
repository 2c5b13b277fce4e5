import { deploymentField } from '../../graphql/deployment.ts';
import { revocableGraph } from '../../graphql/revocation.ts';
import { assignJwk } from '../jwk-assignment.ts';
import { assignJwkGraph } from '../jwk-assignment-graph.ts';
import { jwkEncryption } from './kind.ts';

export const jwkEncryptionGraph = revocableGraph(jwkEncryption, {
  type: 'JwkEncryption',
  description: 'The assignment of a JWK to a gateway credential for encryption.',
  read: 'project:read',
  lists: [{ on: 'GatewayCredential', field: 'jwkEncryptions' }],
  mutation: 'unassignJwkEncryption',
  mutationDescription:
    'Takes the JWK for encryption from a gateway credential, and tells every environment of the project. The JWK itself stays, and so does the one for validation.',
  success: deploymentField,
});

export const assignJwkEncryptionGraph = assignJwkGraph(assignJwk('jwk-encryption'), {
  mutation: 'assignJwkEncryption',
  description:
    'Gives a gateway credential a JWK of its project for encryption, in place of the one that it had, and tells every environment of the project.',
  shows: { field: 'jwkEncryption', type: 'JwkEncryption' },
});
