import type { Revocable } from '../../../db/tables.ts';
import type { Operation } from '../../operation.ts';
import { missingPermissions } from '../../permissions.ts';
import { NameTaken, PermissionDenied } from '../../refusals.ts';
import { hashSecret } from '../../secrets.ts';
import { findOrganization } from '../find.ts';
import { newRow } from '../row.ts';

export interface NewOrganization {
  /** The id that it will have. */
  readonly id: string;
  readonly slug: string;
  /** The token of its first administrator, where one is wanted. */
  readonly admin?: { readonly id: string; readonly secret: string };
}

/** Makes a tenant, and if asked a personal access token that may do everything in it. */
export const createOrganization: Operation<
  NewOrganization,
  Revocable,
  PermissionDenied | NameTaken
> = {
  action: 'create',
  kind: 'organization',
  refusals: [PermissionDenied, NameTaken],
  describe: ({ slug }) => slug,

  async run(tx, { id, slug, admin }, call, { atMs }) {
    const missing = missingPermissions(call.actor.permissions, ['organization:create']);
    if (missing.length > 0) return { refused: new PermissionDenied(missing) };
    const taken = await findOrganization(tx, slug);
    if (taken !== undefined) return { refused: new NameTaken() };

    const row = newRow({
      id,
      organization_id: id,
      kind: 'organization',
      issued_at_ms: atMs,
      created_by: call.actor.name,
      slug,
      name: slug,
    });
    await tx.insertInto('revocables').values(row).execute();
    if (admin !== undefined) {
      const token = newRow({
        id: admin.id,
        organization_id: id,
        parent_id: id,
        kind: 'personal-access-token',
        issued_at_ms: atMs,
        created_by: call.actor.name,
        name: 'admin',
        permissions: JSON.stringify(['organization:admin']),
        secret_hash: hashSecret(admin.secret),
      });
      await tx.insertInto('revocables').values(token).execute();
    }
    return { done: row, targetId: id };
  },
};
