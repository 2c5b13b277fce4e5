import { changeGraph } from '../../graphql/change.ts';
import { revocableGraph } from '../../graphql/revocation.ts';
import { hashSecret, newSecret } from '../../secrets.ts';
import { checkName } from '../input.ts';
import { createEnforcementPoint } from './create.ts';
import { enforcementPoint } from './kind.ts';

export const enforcementPointGraph = revocableGraph(enforcementPoint, {
  type: 'EnforcementPoint',
  description: 'A place that follows the feed, and refuses what the feed says has ended.',
  read: 'target:manage',
  lists: [{ on: 'Me', field: 'enforcementPoints' }],
  mutation: 'revokeEnforcementPoint',
  mutationDescription:
    'Revokes an enforcement point: its stream ends at once, and what it has not acknowledged is closed.',
});

interface Given {
  name: string;
}

export const createEnforcementPointGraph = changeGraph(createEnforcementPoint, {
  mutation: 'createEnforcementPoint',
  description:
    'Makes an enforcement point, which may follow the feed of the organization and introspect its credentials.',
  inputDescription: 'What the enforcement point is called.',
  shows: { field: 'enforcementPoint', type: 'EnforcementPoint' },
  secret: { description: 'The token with which it follows the feed, as `Authorization: Bearer`.' },
  fields: (t) => ({
    name: t.string({ required: true, description: 'What people call it.' }),
  }),
  check: ({ name }: Given) => [checkName('name', name)],
  prepare: async ({ name }, { gateway }) => {
    const secret = newSecret('enforcement-point');
    return { input: { id: gateway.newId(), name, secretHash: hashSecret(secret) }, secret };
  },
});
