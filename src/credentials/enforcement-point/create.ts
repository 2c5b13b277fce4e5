import type { Permission } from '../../permissions.ts';
import { NameTaken, TooManyTargets } from '../../refusals.ts';
import { refusalOfNew } from '../../targets/limit.ts';
import { newTarget } from '../../targets/row.ts';
import { change, insert } from '../change.ts';

export interface NewEnforcementPoint {
  readonly id: string;
  readonly name: string;
  readonly secretHash: string;
}

/** What every point may do, besides following the feed; whoever makes one may too. */
const pointPermissions: readonly Permission[] = ['credential:introspect'];

/**
 * Makes an enforcement point: a credential, and the target of the same id that is owed each
 * revocation of the organization from then on.
 */
export const createEnforcementPoint = change<NewEnforcementPoint, NameTaken | TooManyTargets>({
  kind: 'enforcement-point',
  refusals: [NameTaken, TooManyTargets],
  describe: ({ id }) => id,
  permissions: () => ['target:manage', ...pointPermissions],

  async make(tx, row, { name, secretHash }, { owner }) {
    const refused = await refusalOfNew(tx, owner.id, 'enforcement-point', name);
    if (refused !== undefined) return refused;
    const made = await insert(tx, {
      ...row,
      name,
      permissions: JSON.stringify(pointPermissions),
      secret_hash: secretHash,
    });
    const target = newTarget({
      ...{ id: row.id, name, kind: 'enforcement-point', url: '', secret_jwe: '' },
      ...{ organization_id: row.organization_id, scope_id: owner.id },
      created_at_ms: row.issued_at_ms,
    });
    await tx.insertInto('targets').values(target).execute();
    return made;
  },
});
