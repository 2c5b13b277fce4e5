import { changeGraph } from '../../graphql/change.ts';
import { revocableGraph } from '../../graphql/revocation.ts';
import type { GivenMethod } from '../auth-method.ts';
import { methodFields, methodInput } from '../auth-method-graph.ts';
import { attachTokenAuth, checkTokenAuth } from './attach.ts';
import { tokenAuth } from './kind.ts';

export const tokenAuthGraph = revocableGraph(tokenAuth, {
  type: 'TokenAuth',
  description: 'Token Auth of a machine identity: its access tokens are made on request.',
  read: 'identity:read',
  lists: [{ on: 'Identity', field: 'tokenAuths' }],
  mutation: 'revokeTokenAuth',
  mutationDescription:
    'Removes Token Auth from a machine identity. Every access token issued through it is refused from then on; attaching it again revives none.',
  fields: methodFields,
});

export const attachTokenAuthGraph = changeGraph(attachTokenAuth, {
  mutation: 'attachTokenAuth',
  description:
    'Attaches Token Auth to a machine identity, so that access tokens can be made for it. Takes all that the identity may do.',
  inputDescription: 'To which machine identity, and what its access tokens are like.',
  shows: { field: 'tokenAuth', type: 'TokenAuth' },
  fields: (t) => ({
    identityId: t.id({ required: true, description: 'The id of the machine identity.' }),
    ...methodInput(t, 'attach'),
  }),
  check: ({ identityId: _, ...given }: GivenMethod & { identityId: string }) => [
    checkTokenAuth(given),
  ],
  prepare: async ({ identityId, ...given }, { gateway }) => ({
    input: { id: gateway.newId(), identityId, given },
  }),
});
