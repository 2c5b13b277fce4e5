import { revocableGraph } from '../../graphql/revocation.ts';
import { apiKey } from './kind.ts';

export const apiKeyGraph = revocableGraph(apiKey, {
  type: 'ApiKey',
  description: 'A key with which an application is called.',
  read: 'application:read',
  lists: [{ on: 'Application', field: 'apiKeys' }],
  mutation: 'revokeApiKey',
  mutationDescription:
    'Revokes an API key of an application. Other keys of the application keep working.',
});
