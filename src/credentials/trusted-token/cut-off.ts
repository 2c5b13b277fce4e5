import type { CutOffScope } from '../../cut-offs.ts';
import type { Operation } from '../../operation.ts';
import { missingPermissions } from '../../permissions.ts';
import { PermissionDenied } from '../../refusals.ts';

/** Which JWTs of a trusted issuer count no more in the caller's organization. */
export interface NewCutOff {
  readonly issuer: string;
  readonly scope: CutOffScope;
  /** The token's id, the subject or the key id; empty for a whole issuer. */
  readonly value: string;
  /** Only those that were issued before this; null: all. */
  readonly beforeMs: number | null;
}

/** Ends JWTs that others issued: they are no rows here, so what ends them is one. */
export const cutOff: Operation<NewCutOff, null, PermissionDenied> = {
  action: 'revoke',
  kind: 'trusted-token',
  refusals: [PermissionDenied],
  describe: ({ issuer, scope, value }) => [issuer, scope, value].filter(Boolean).join('/'),

  async run(tx, { issuer, scope, value, beforeMs }, { actor }, { entryId }) {
    const missing = missingPermissions(actor.permissions, ['trusted-token:revoke']);
    if (missing.length > 0) return { refused: new PermissionDenied(missing) };
    await tx
      .insertInto('cut_offs')
      .values({
        id: entryId,
        organization_id: actor.organizationId,
        ...{ issuer, scope, value },
        before_ms: beforeMs,
      })
      .execute();
    return { done: null, targetId: entryId };
  },
};
