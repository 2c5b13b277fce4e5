import { changeGraph } from '../../graphql/change.ts';
import { revocableGraph } from '../../graphql/revocation.ts';
import { hashSecret, newSecret } from '../../secrets.ts';
import { checkCallerCredential, createPersonalAccessToken } from './create.ts';
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

interface Given {
  name: string;
  permissions: string[];
  expiresAt?: number | null;
}

export const createPersonalAccessTokenGraph = changeGraph(createPersonalAccessToken, {
  mutation: 'createPersonalAccessToken',
  description:
    "Makes a personal access token in the caller's organization, with no more permissions than the caller has.",
  inputDescription: 'What the token is called and may do.',
  shows: { field: 'personalAccessToken', type: 'PersonalAccessToken' },
  secret: { description: 'What to send as `Authorization: Bearer`.' },
  fields: (t) => ({
    name: t.string({ required: true, description: 'What people call it.' }),
    permissions: t.stringList({
      required: true,
      description: 'What it may do: permissions, each with or without `@project` behind it.',
    }),
    expiresAt: t.field({ type: 'DateTime', description: 'When it ends by itself.' }),
  }),
  check: ({ expiresAt, ...input }: Given, { gateway }) => [
    checkCallerCredential({ ...input, expiresAtMs: expiresAt ?? null }, gateway.now()),
  ],
  prepare: async ({ name, permissions, expiresAt }, { gateway }) => {
    const secret = newSecret('personal-access-token');
    const id = gateway.newId();
    const expiresAtMs = expiresAt ?? null;
    return {
      input: { id, name, permissions, secretHash: hashSecret(secret), expiresAtMs },
      secret,
    };
  },
});
