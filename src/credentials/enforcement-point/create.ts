import type { Permission } from '../../permissions.ts';
import { NameTaken, TooManyTargets } from '../../refusals.ts';
import { refusalOfNew } from '../../targets/limit.ts';
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
    await tx
      .insertInto('targets')
      .values({
        id: row.id,
        organization_id: row.organization_id,
        kind: 'enforcement-point',
        scope_id: owner.id,
        name,
        url: '',
        secret_jwe: '',
        created_at_ms: row.issued_at_ms,
        removed_at_ms: null,
        events: null,
        kinds: null,
        previous_secret_jwe: null,
        previous_secret_until_ms: null,
        late_since_ms: null,
      })
      .execute();
    return made;
  },
});
