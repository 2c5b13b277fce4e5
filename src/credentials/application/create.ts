import { change, insert } from '../change.ts';

/** Makes an application. */
export const createApplication = change<{ readonly id: string; readonly name: string }>({
  kind: 'application',
  refusals: [],
  describe: ({ id }) => id,
  permissions: () => ['application:edit'],
  make: (tx, row, { name }) => insert(tx, { ...row, name }),
});
