import type { Revocable } from '../../db/tables.ts';

/** A row that nothing has revoked: what is not said is null. */
export function newRow(
  row: Pick<Revocable, 'id' | 'organization_id' | 'kind' | 'issued_at_ms'> & Partial<Revocable>,
): Revocable {
  return {
    parent_id: null,
    slug: null,
    name: null,
    permissions: null,
    secret_hash: null,
    created_by: null,
    expires_at_ms: null,
    revoked_at_ms: null,
    revoked_by: null,
    reason: null,
    revocation_id: null,
    ...row,
  };
}
