import { revocableGraph } from '../../graphql/revocation.ts';
import { serviceAccountToken } from './kind.ts';

export const serviceAccountTokenGraph = revocableGraph(serviceAccountToken, {
  type: 'ServiceAccountToken',
  description: 'A token of a service account.',
  read: 'service-account:read',
  lists: [{ on: 'ServiceAccount', field: 'tokens' }],
  mutation: 'revokeServiceAccountToken',
  mutationDescription: 'Revokes a token of a service account. Its other tokens keep working.',
});
