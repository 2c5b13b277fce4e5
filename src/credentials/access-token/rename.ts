import { AlreadyRevoked } from '../../refusals.ts';
import { authMethods } from '../../standing.ts';
import { change } from '../change.ts';
import { findById } from '../find.ts';

/** Gives an access token of an identity another name. A caller's own keeps what the ledger calls it. */
export const renameToken = change<{ readonly id: string; readonly name: string }, AlreadyRevoked>({
  action: 'update',
  kind: 'access-token',
  address: 'token',
  refusals: [AlreadyRevoked],
  describe: ({ id }) => id,

  async owner(db, organizationId, { id }) {
    const token = await findById(db, organizationId, 'access-token', id);
    if (token === undefined) return undefined;
    const parent = await db
      .selectFrom('revocables')
      .selectAll()
      .where('id', '=', token.parent_id)
      .executeTakeFirst();
    return parent !== undefined && authMethods.has(parent.kind) ? parent : undefined;
  },

  permissions: () => ['identity:edit'],

  async make(tx, { organization_id, issued_at_ms }, { id, name }) {
    const token = await findById(tx, organization_id, 'access-token', id);
    if (token === undefined) throw new Error(`The access token ${id} is gone`);
    if (token.revoked_at_ms !== null) return new AlreadyRevoked(token.revoked_at_ms);
    await tx.updateTable('revocables').set({ name }).where('id', '=', id).execute();
    await tx
      .updateTable('access_tokens')
      .set({ updated_at_ms: issued_at_ms })
      .where('id', '=', id)
      .execute();
    return { row: { ...token, name } };
  },
});
