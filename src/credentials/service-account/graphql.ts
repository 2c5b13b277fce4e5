import { changeGraph } from '../../graphql/change.ts';
import { revocableGraph } from '../../graphql/revocation.ts';
import { checkName, checkSlug, slugOf } from '../input.ts';
import { createServiceAccount } from './create.ts';
import { serviceAccount } from './kind.ts';

export const serviceAccountGraph = revocableGraph(serviceAccount, {
  type: 'ServiceAccount',
  description: 'An account for programs.',
  read: 'service-account:read',
  lists: [{ on: 'Me', field: 'serviceAccounts' }],
  mutation: 'revokeServiceAccount',
  mutationDescription:
    'Revokes a service account: every token of it is refused from then on, and it gets no new one.',
});

interface Given {
  name: string;
  slug?: string | null;
}

export const createServiceAccountGraph = changeGraph(createServiceAccount, {
  mutation: 'createServiceAccount',
  description: 'Makes a service account.',
  inputDescription: 'What the service account is called.',
  shows: { field: 'serviceAccount', type: 'ServiceAccount' },
  fields: (t) => ({
    name: t.string({ required: true, description: 'What people call it.' }),
    slug: t.string({
      description: 'Its name in addresses: `a-z`, `0-9`, `-`. Made of the name, unless said.',
    }),
  }),
  check: ({ name, slug }: Given) => [
    checkName('name', name),
    checkSlug('slug', slug ?? slugOf(name)),
  ],
  prepare: async ({ name, slug }, { gateway }) => ({
    input: { id: gateway.newId(), name, slug: slug ?? slugOf(name) },
  }),
});
