import { revocableGraph } from '../../graphql/revocation.ts';
import { personalAccessToken } from './kind.ts';

export const personalAccessTokenGraph = revocableGraph(personalAccessToken, {
  type: 'PersonalAccessToken',
  description: 'An opaque token with which a person or a script calls this gateway.',
  read: 'personal-access-token:read',
  lists: [{ on: 'Me', field: 'personalAccessTokens' }],
  mutation: 'revokePersonalAccessToken',
  mutationDescription:
    'Revokes a personal access token; with the permission, a caller may revoke the very token that it calls with.',
});
