import { changeGraph } from '../../graphql/change.ts';
import { revocableGraph } from '../../graphql/revocation.ts';
import { isScope } from '../../permissions.ts';
import { hashSecret, newSecret } from '../../secrets.ts';
import { checkCount, checkExpiry, checkName, checkSlug, problem, slugOf } from '../input.ts';
import { createServiceAccountToken } from './create.ts';
import { serviceAccountToken } from './kind.ts';

export const serviceAccountTokenGraph = revocableGraph(serviceAccountToken, {
  type: 'ServiceAccountToken',
  description: 'A token of a service account.',
  read: 'service-account:read',
  lists: [{ on: 'ServiceAccount', field: 'tokens' }],
  mutation: 'revokeServiceAccountToken',
  mutationDescription: 'Revokes a token of a service account. Its other tokens keep working.',
  fields: (t) => ({
    scopes: t.stringList({
      description: 'What it may do: scopes such as `write:tokens`.',
      resolve: ({ permissions }) => JSON.parse(permissions ?? '[]') as string[],
    }),
  }),
});

interface Given {
  serviceAccountSlug: string;
  name: string;
  slug?: string | null;
  scopes: string[];
  expiresAt?: number | null;
}

export const createServiceAccountTokenGraph = changeGraph(createServiceAccountToken, {
  mutation: 'createServiceAccountToken',
  description: 'Makes a token of a service account.',
  inputDescription: 'Of which service account, what it may do, and for how long.',
  shows: { field: 'serviceAccountToken', type: 'ServiceAccountToken' },
  secret: { description: 'The token itself.' },
  fields: (t) => ({
    serviceAccountSlug: t.string({
      required: true,
      description: 'The slug of the service account.',
    }),
    name: t.string({ required: true, description: 'What people call it.' }),
    slug: t.string({
      description: 'Its name in addresses: `a-z`, `0-9`, `-`. Made of the name, unless said.',
    }),
    scopes: t.stringList({
      required: true,
      description: '`read:…` and `write:…`. Here `write:tokens` allows to make and revoke tokens.',
    }),
    expiresAt: t.field({ type: 'DateTime', description: 'When it ends by itself.' }),
  }),
  check: ({ name, slug, scopes, expiresAt }: Given, { gateway }) => [
    checkName('name', name),
    checkSlug('slug', slug ?? slugOf(name)),
    problem(
      'scopes',
      scopes.every(isScope) ? undefined : 'Each must be read: or write: and a name, or a *',
    ),
    checkCount('scopes', scopes),
    checkExpiry('expiresAt', expiresAt, gateway.now()),
  ],
  prepare: async ({ serviceAccountSlug, name, slug, scopes, expiresAt }, { gateway }) => {
    const secret = newSecret('service-account-token');
    const input = {
      id: gateway.newId(),
      serviceAccountSlug,
      name,
      tokenSlug: slug ?? slugOf(name),
      scopes,
      secretHash: hashSecret(secret),
      expiresAtMs: expiresAt ?? null,
    };
    return { input, secret };
  },
});
