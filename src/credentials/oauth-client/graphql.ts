import { changeGraph } from '../../graphql/change.ts';
import { revocableGraph } from '../../graphql/revocation.ts';
import { hashSecret, newSecret } from '../../secrets.ts';
import { checkCallerCredential } from '../personal-access-token/create.ts';
import { createOauthClient } from './create.ts';
import { oauthClient } from './kind.ts';
import { CLIENT_KEYS_MAX, checkPublicKeys, publicKeysText } from './public-keys.ts';

export const oauthClientGraph = revocableGraph(oauthClient, {
  type: 'OauthClient',
  description: 'A client of the OAuth endpoints.',
  read: 'oauth-client:read',
  lists: [{ on: 'Me', field: 'oauthClients' }],
  mutation: 'revokeOauthClient',
  mutationDescription:
    'Revokes an OAuth client: it is not authenticated any more, and every access token that it got is refused.',
});

interface Given {
  name: string;
  permissions: string[];
  publicKeys?: string[] | null;
}

export const createOauthClientGraph = changeGraph(createOauthClient, {
  mutation: 'createOauthClient',
  description:
    "Makes a client of the OAuth endpoints in the caller's organization, with no more permissions than the caller has.",
  inputDescription: 'What the client is called and may do, and how it proves who it is.',
  shows: { field: 'oauthClient', type: 'OauthClient' },
  secret: {
    field: 'clientSecret',
    description: 'The `client_secret`; null for a client with keys. Its `client_id` is its id.',
    nullable: true,
  },
  fields: (t) => ({
    name: t.string({ required: true, description: 'What people call it.' }),
    permissions: t.stringList({
      required: true,
      description: 'What it may do: permissions, each with or without `@project` behind it.',
    }),
    publicKeys: t.stringList({
      description: `For a client that signs assertions (\`private_key_jwt\`) and has no secret: 1 to ${CLIENT_KEYS_MAX} public keys, each a JWK as JSON.`,
    }),
  }),
  check: ({ name, permissions, publicKeys = null }: Given, { gateway }) => [
    checkCallerCredential({ name, permissions, expiresAtMs: null }, gateway.now()),
    checkPublicKeys('publicKeys', publicKeys),
  ],
  prepare: async ({ name, permissions, publicKeys: given = null }, { gateway }) => {
    const id = gateway.newId();
    const secret = given === null ? newSecret('oauth-client') : undefined;
    const secretHash = secret === undefined ? null : hashSecret(secret);
    const publicKeys = publicKeysText(given);
    return { input: { id, name, permissions, secretHash, publicKeys }, secret };
  },
});
