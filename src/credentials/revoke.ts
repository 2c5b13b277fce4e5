import type { Kysely, Transaction } from 'kysely';
import type { Revocable, Tables } from '../../db/tables.ts';
import { prepare } from '../database/prepare.ts';
import { liveEnvironments } from '../delivery/targets.ts';
import type { Call, Moment, Operation } from '../operation.ts';
import { missingPermissions } from '../permissions.ts';
import { AlreadyRevoked, NotFound, PermissionDenied, type Refusal } from '../refusals.ts';
import { removePoint } from './enforcement-point/remove.ts';
import type { Input, Kind, Located } from './kind.ts';

/** A revoked row, and what its kind shows of it. */
export interface Revoked<Answer> {
  readonly row: Revocable;
  readonly answer: Answer;
}

/** Every no that revoking a kind can meet, once the caller is known and the input well-formed. */
export type RevokeRefusal<R extends Refusal> = NotFound | PermissionDenied | AlreadyRevoked | R;

/** How callers name one: what they give, in words, and where it leads. */
interface Naming<Given, R extends Refusal> {
  describe(given: Given): string;
  locate(db: Kysely<Tables>, organizationId: string, given: Given): Promise<Located<R> | undefined>;
}

/** The operation that revokes a credential of this kind, which is named by its address. */
export const revoke = <Field extends string, Answer, R extends Refusal>(
  kind: Kind<Field, Answer, R>,
): Operation<Input<Field>, Revoked<Answer>, RevokeRefusal<R>> =>
  revokeNamed(kind, {
    describe: (input) =>
      Object.keys(kind.input)
        .map((field) => input[field as Field])
        .join('/'),
    locate: kind.locate,
  });

/** The operation that revokes what is named so: found, permitted, not yet revoked, done. */
export function revokeNamed<Given, Answer, R extends Refusal>(
  kind: Pick<Kind<never, Answer, R>, 'name' | 'address' | 'permissions' | 'refusals' | 'show'>,
  { describe, locate }: Naming<Given, R>,
): Operation<Given, Revoked<Answer>, RevokeRefusal<R>> {
  return {
    action: 'revoke',
    kind: kind.name,
    refusals: [NotFound, PermissionDenied, AlreadyRevoked, ...kind.refusals],
    describe,

    async run(tx, given, call, at) {
      const located = await locate(tx, call.actor.organizationId, given);
      if (located === undefined) return { refused: new NotFound(kind.address), unresolved: true };

      const { target } = located;
      const targetId = isRow(target) ? target.id : undefined;
      const missing = missingPermissions(call.actor.permissions, kind.permissions, located.project);
      if (missing.length > 0) {
        const unresolved = target instanceof NotFound;
        return { refused: new PermissionDenied(missing), targetId, unresolved };
      }
      if (!isRow(target)) return { refused: target, unresolved: target instanceof NotFound };
      const row = await markRevoked(tx, target, call, at);
      if (row instanceof AlreadyRevoked) return { refused: row, targetId };
      return {
        done: { row, answer: await kind.show(tx, row) },
        targetId: row.id,
        deliverTo: located.tells === undefined ? [] : await liveEnvironments(tx, located.tells),
      };
    },
  };
}

/** Marks a row as revoked, where nobody has yet, and ends what ends with it. */
export async function markRevoked(
  tx: Transaction<Tables>,
  target: Revocable,
  { actor, reason = 'UNSPECIFIED' }: Pick<Call, 'reason'> & { actor: { name: string } },
  { atMs, entryId }: Pick<Moment, 'atMs' | 'entryId'>,
): Promise<Revocable | AlreadyRevoked> {
  if (target.revoked_at_ms !== null) return new AlreadyRevoked(target.revoked_at_ms);
  const change = {
    revoked_at_ms: atMs,
    revoked_by: actor.name,
    reason,
    revocation_id: entryId,
  };
  const { numAffectedRows } = await mark(tx, { id: target.id, ...change });
  if (numAffectedRows !== 1n) return new AlreadyRevoked(atMs);
  if (target.kind === 'enforcement-point') await removePoint(tx, target.id, actor.name, atMs);
  return { ...target, ...change };
}

type Mark = Pick<Revocable, 'id'> & {
  [Column in 'revoked_at_ms' | 'revoked_by' | 'reason' | 'revocation_id']: NonNullable<
    Revocable[Column]
  >;
};

const mark = prepare<Mark, never>((db, slot) =>
  db
    .updateTable('revocables')
    .set({
      revoked_at_ms: slot('revoked_at_ms'),
      revoked_by: slot('revoked_by'),
      reason: slot('reason'),
      revocation_id: slot('revocation_id'),
    })
    .where('id', '=', slot('id'))
    .where('revoked_at_ms', 'is', null)
    .$castTo<never>(),
);

const isRow = (target: Revocable | Refusal): target is Revocable => 'revoked_at_ms' in target;
