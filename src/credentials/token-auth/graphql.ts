import { revocableGraph } from '../../graphql/revocation.ts';
import { tokenAuth } from './kind.ts';

export const tokenAuthGraph = revocableGraph(tokenAuth, {
  type: 'TokenAuth',
  description: 'Token Auth of a machine identity: its access tokens are made on request.',
  read: 'identity:read',
  lists: [{ on: 'Identity', field: 'tokenAuths' }],
  mutation: 'revokeTokenAuth',
  mutationDescription:
    'Removes Token Auth from a machine identity. Every access token issued through it is refused from then on; attaching it again revives none.',
});
