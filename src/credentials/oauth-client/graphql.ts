import { revocableGraph } from '../../graphql/revocation.ts';
import { oauthClient } from './kind.ts';

export const oauthClientGraph = revocableGraph(oauthClient, {
  type: 'OauthClient',
  description: 'A client of the OAuth endpoints.',
  read: 'oauth-client:read',
  lists: [{ on: 'Me', field: 'oauthClients' }],
  mutation: 'revokeOauthClient',
  mutationDescription:
    'Revokes an OAuth client: it is not authenticated any more, and every access token that it got is refused.',
});
