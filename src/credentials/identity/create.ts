import { change, insert } from '../change.ts';

export interface NewIdentity {
  readonly id: string;
  readonly name: string;
  /** What its tokens may do. */
  readonly permissions: readonly string[];
}

/** Makes a machine identity. */
export const createIdentity = change<NewIdentity>({
  kind: 'identity',
  refusals: [],
  describe: ({ id }) => id,
  permissions: ({ permissions }) => ['identity:edit', ...permissions],
  make: (tx, row, { name, permissions }) =>
    insert(tx, { ...row, name, permissions: JSON.stringify(permissions) }),
});
