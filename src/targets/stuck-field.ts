import type { Target } from '../../db/tables.ts';
import type { Builder, FieldBuilder } from '../graphql/builder.ts';
import { isNumberCursor, newestFirst } from '../graphql/page.ts';
import { type Stuck, stuckPage } from './stuck.ts';

/** The field of a target that lists what is stuck, and its types. */
export function stuckField(t: FieldBuilder<Target>, builder: Builder) {
  const stuck = builder.objectRef<Stuck>('StuckDelivery').implement({
    description: 'A delivery whose attempts are used up.',
    fields: (t) => ({
      revocationId: t.exposeID('entryId', {
        description: 'The id of the ledger entry; of a revocation, the id of that.',
      }),
      attempts: t.exposeInt('attempts', { description: 'How often it was tried.' }),
      lastError: t.exposeString('lastError', {
        nullable: true,
        description: 'What went wrong at the last attempt.',
      }),
      stuckAt: t.field({
        type: 'DateTime',
        description: 'When the last attempt had failed.',
        resolve: ({ atMs }) => atMs ?? 0,
      }),
    }),
  });
  return t.connection(
    {
      type: stuck,
      description: 'What is stuck, newest first.',
      resolve: ({ id: targetId }, args, { loaders }) =>
        newestFirst(
          args,
          ({ seq }: Stuck) => String(seq),
          isNumberCursor,
          (stretch) => loaders.load(stuckPage, { targetId, ...stretch }),
        ),
    },
    { name: 'StuckDeliveryConnection', description: 'A page of what is stuck.' },
    { name: 'StuckDeliveryEdge', description: 'One stuck delivery of a page.' },
  );
}
