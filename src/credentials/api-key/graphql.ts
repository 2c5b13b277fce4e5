import { changeGraph } from '../../graphql/change.ts';
import { revocableGraph } from '../../graphql/revocation.ts';
import { hashSecret, newSecret } from '../../secrets.ts';
import { checkExpiry, checkName } from '../input.ts';
import { createApiKey } from './create.ts';
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

interface Given {
  applicationId: string;
  name: string;
  expiresAt?: number | null;
}

export const createApiKeyGraph = changeGraph(createApiKey, {
  mutation: 'createApiKey',
  description: 'Makes an API key of an application.',
  inputDescription: 'Of which application, and for how long.',
  shows: { field: 'apiKey', type: 'ApiKey' },
  secret: { description: 'The key itself.' },
  fields: (t) => ({
    applicationId: t.id({ required: true, description: 'The id of the application (UUID).' }),
    name: t.string({ required: true, description: 'What people call it.' }),
    expiresAt: t.field({ type: 'DateTime', description: 'When it ends by itself.' }),
  }),
  check: ({ name, expiresAt }: Given, { gateway }) => [
    checkName('name', name),
    checkExpiry('expiresAt', expiresAt, gateway.now()),
  ],
  prepare: async ({ applicationId, name, expiresAt }, { gateway }) => {
    const secret = newSecret('api-key');
    const id = gateway.newId();
    const expiresAtMs = expiresAt ?? null;
    return {
      input: { id, applicationId, name, secretHash: hashSecret(secret), expiresAtMs },
      secret,
    };
  },
});
