import { changeGraph } from '../../graphql/change.ts';
import type { TypeSpec } from '../../graphql/types.ts';
import { newSecret } from '../../secrets.ts';
import { checkSlug } from '../input.ts';
import { createOrganization } from './create.ts';

export const organizationType: TypeSpec = {
  kind: 'organization',
  type: 'Organization',
  description: 'A tenant.',
  read: 'organization:admin',
  lists: [],
};

export const createOrganizationGraph = changeGraph(createOrganization, {
  mutation: 'createOrganization',
  description: 'Makes an organization: a tenant, whose credentials no other tenant sees.',
  inputDescription: 'What the organization is called.',
  shows: { field: 'organization', type: 'Organization' },
  secret: {
    field: 'personalAccessToken',
    description: 'A token that may do everything in it.',
  },
  fields: (t) => ({
    slug: t.string({ required: true, description: 'Its name in addresses: `a-z`, `0-9`, `-`.' }),
  }),
  check: ({ slug }: { slug: string }) => [checkSlug('slug', slug)],
  prepare: async ({ slug }, { gateway }) => {
    const secret = newSecret('personal-access-token');
    return { input: { id: gateway.newId(), slug, admin: { id: gateway.newId(), secret } }, secret };
  },
});
