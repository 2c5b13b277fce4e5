import type { LedgerEntry, Revocable } from '../../db/tables.ts';
import type { Attempt, Delivery } from '../delivery/deliver.ts';
import { liveEnvironments } from '../delivery/targets.ts';
import { type Call, type Operation, type Performer, perform } from '../operation.ts';
import { missingPermissions } from '../permissions.ts';
import {
  AlreadyRevoked,
  NotFound,
  PermissionDenied,
  type Refusal,
  type Unauthenticated,
} from '../refusals.ts';
import type { Input, Kind } from './kind.ts';

/** A revoked row, and what its kind shows of it. */
export interface Revoked<Answer> {
  readonly row: Revocable;
  readonly answer: Answer;
}

/** Every no that revoking a kind can meet, once the caller is known and the input well-formed. */
export type RevokeRefusal<R extends Refusal> = NotFound | PermissionDenied | AlreadyRevoked | R;

/** The operation that revokes a credential of this kind: found, permitted, not yet revoked, done. */
export function revoke<Field extends string, Answer, R extends Refusal>(
  kind: Kind<Field, Answer, R>,
): Operation<Input<Field>, Revoked<Answer>, RevokeRefusal<R>> {
  return {
    action: 'revoke',
    kind: kind.name,
    refusals: [NotFound, PermissionDenied, AlreadyRevoked, ...kind.refusals],
    describe: (input) =>
      Object.keys(kind.input)
        .map((field) => input[field as Field])
        .join('/'),

    async run(tx, input, call, at) {
      const located = await kind.locate(tx, call.actor.organizationId, input);
      if (located === undefined) return { refused: new NotFound(kind.address), unresolved: true };

      const { target } = located;
      const targetId = isRow(target) ? target.id : undefined;
      const missing = missingPermissions(call.actor.permissions, kind.permissions, located.project);
      if (missing.length > 0) {
        const unresolved = target instanceof NotFound;
        return { refused: new PermissionDenied(missing), targetId, unresolved };
      }
      if (!isRow(target)) return { refused: target, unresolved: target instanceof NotFound };
      if (target.revoked_at_ms !== null) {
        return { refused: new AlreadyRevoked(target.revoked_at_ms), targetId };
      }

      const change = {
        revoked_at_ms: at.atMs,
        revoked_by: call.actor.name,
        reason: call.reason ?? 'UNSPECIFIED',
        revocation_id: at.entryId,
      };
      const { numUpdatedRows } = await tx
        .updateTable('revocables')
        .set(change)
        .where('id', '=', target.id)
        .where('revoked_at_ms', 'is', null)
        .executeTakeFirst();
      if (numUpdatedRows === 0n) return { refused: new AlreadyRevoked(at.atMs), targetId };

      const row = { ...target, ...change };
      return {
        done: { row, answer: await kind.show(tx, row) },
        targetId: row.id,
        deliverTo: located.tells === undefined ? [] : await liveEnvironments(tx, located.tells),
      };
    },
  };
}

const isRow = (target: Revocable | Refusal): target is Revocable => 'revoked_at_ms' in target;

/** What a caller is told of a revocation. */
export type Answered<Answer, R extends Refusal> =
  | { refused: R | Unauthenticated }
  | { revoked: Revoked<Answer>; entry: LedgerEntry; attempts: readonly Attempt[] };

/** Revokes, and once that is committed tells those places that the answer waits for. */
export async function carryOut<Field extends string, Answer, R extends Refusal>(
  gateway: Performer & { readonly delivery: Delivery },
  operation: Operation<Input<Field>, Revoked<Answer>, R>,
  input: Input<Field>,
  call: Call,
): Promise<Answered<Answer, R>> {
  const performed = await perform(gateway, operation, input, call);
  if ('refused' in performed) return performed;
  const { done: revoked, entry, deliverTo } = performed;
  return {
    revoked,
    entry,
    attempts: deliverTo.length > 0 ? await gateway.delivery.attempt(entry, deliverTo) : [],
  };
}
