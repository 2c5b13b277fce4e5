import type { Permission } from '../../permissions.ts';
import { NameTaken } from '../../refusals.ts';
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
export const createEnforcementPoint = change<NewEnforcementPoint, NameTaken>({
  kind: 'enforcement-point',
  refusals: [NameTaken],
  describe: ({ id }) => id,
  permissions: () => ['target:manage', ...pointPermissions],

  async make(tx, row, { name, secretHash }, { owner }) {
    const present = await tx
      .selectFrom('targets')
      .select('id')
      .where('scope_id', '=', owner.id)
      .where('kind', '=', 'enforcement-point')
      .where('name', '=', name)
      .where('removed_at_ms', 'is', null)
      .executeTakeFirst();
    if (present !== undefined) return new NameTaken();
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
