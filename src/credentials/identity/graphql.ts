import { changeGraph } from '../../graphql/change.ts';
import { revocableGraph } from '../../graphql/revocation.ts';
import { checkName, checkPermissions } from '../input.ts';
import { createIdentity } from './create.ts';
import { identity } from './kind.ts';

export const identityGraph = revocableGraph(identity, {
  type: 'Identity',
  description: 'A machine identity.',
  read: 'identity:read',
  lists: [{ on: 'Me', field: 'identities' }],
  mutation: 'revokeIdentity',
  mutationDescription:
    'Revokes a machine identity: every auth method and every access token of it is refused from then on, and it gets no new one.',
});

export const createIdentityGraph = changeGraph(createIdentity, {
  mutation: 'createIdentity',
  description: 'Makes a machine identity. It gets tokens once an auth method is attached.',
  inputDescription: 'What the identity is called and may do.',
  shows: { field: 'identity', type: 'Identity' },
  fields: (t) => ({
    name: t.string({ required: true, description: 'What people call it.' }),
    permissions: t.stringList({
      description: 'What its tokens may do in this gateway: nothing, unless said.',
    }),
  }),
  check: ({ name, permissions }: { name: string; permissions?: string[] | null }) => [
    checkName('name', name),
    checkPermissions('permissions', permissions ?? []),
  ],
  prepare: async ({ name, permissions }, { gateway }) => ({
    input: { id: gateway.newId(), name, permissions: permissions ?? [] },
  }),
});
