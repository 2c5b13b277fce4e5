import { revocableGraph } from '../../graphql/revocation.ts';
import { accessToken } from './kind.ts';

export const accessTokenGraph = revocableGraph(accessToken, {
  type: 'AccessToken',
  description: 'A JWT that this gateway issued, to a machine identity or to a caller.',
  read: 'identity:read',
  lists: [
    { on: 'JwtAuth', field: 'accessTokens' },
    { on: 'TokenAuth', field: 'accessTokens' },
    { on: 'Me', field: 'accessTokens' },
  ],
  mutation: 'revokeToken',
  mutationDescription:
    'Revokes one access token, however it was issued. No other token is touched, and with the permission, a caller may revoke the very token that it calls with.',
});
