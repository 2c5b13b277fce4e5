import type { Kysely, Transaction } from 'kysely';
import type { Revocable, Tables, Target } from '../../db/tables.ts';
import type { Operation, Superseded } from '../operation.ts';
import { missingPermissions } from '../permissions.ts';
import {
  NotFound,
  OwnerRevoked,
  PermissionDenied,
  Refusal,
  type RefusalClass,
} from '../refusals.ts';
import { chainOf, standing } from '../standing.ts';
import { findById } from './find.ts';
import { newRow } from './row.ts';

/** What came of a change: the row that was made or changed, and who must learn of it. */
export interface Changed {
  readonly row: Revocable;
  readonly deliverTo?: readonly Target[];
  /** What it takes the place of, where that is revoked by it. */
  readonly superseded?: Superseded | undefined;
}

/**
 * How something is made, or changed, below an owner.
 *
 * @typeParam Input what the change is decided by; `id` is the id that a new row will have
 * @typeParam R the refusals that only this change gives
 */
export interface Change<Input extends { readonly id: string }, R extends Refusal = never> {
  readonly action?: 'create' | 'update';
  readonly kind: string;
  /** What is missing when `owner` finds nothing. */
  readonly address?: string;
  readonly refusals: readonly RefusalClass<R>[];
  /** The target as the ledger names it: as its revocation would, where it can. */
  describe(input: Input): string;
  /**
   * The row to which it will belong; undefined where the caller's organization has none. Unless said,
   * the organization itself.
   */
  owner?(
    db: Kysely<Tables>,
    organizationId: string,
    input: Input,
  ): Promise<Revocable | NotFound | undefined>;
  /**
   * All are needed. Nobody gives what they lack, so what is given is among them.
   *
   * @param owner undefined where that is not found, though an address above it is
   */
  permissions(input: Input, owner: Revocable | undefined): readonly string[];
  /** The name of the project in which permissions are asked for. */
  project?(input: Input): string;
  /** Inserts or changes; only `tx` may be awaited. `row` is a new child of the owner. */
  make(
    tx: Transaction<Tables>,
    row: Revocable,
    input: Input,
    by: { readonly owner: Revocable; readonly actor: string; readonly newId: () => string },
  ): Promise<Changed | R>;
}

/** Every no that a change can meet, once the caller is known and the input well-formed. */
export type ChangeRefusal<R extends Refusal> = NotFound | PermissionDenied | OwnerRevoked | R;

/**
 * The operation behind a change: the owner is found, the caller may, the owner and all above it are
 * good, done. Since this is one transaction, nothing is made below what is already revoked.
 */
export function change<Input extends { readonly id: string }, R extends Refusal = never>(
  spec: Change<Input, R>,
): Operation<Input, Revocable, ChangeRefusal<R>> {
  return {
    action: spec.action ?? 'create',
    kind: spec.kind,
    refusals: [
      PermissionDenied,
      // Who is known has an organization, and it is good.
      ...(spec.owner === undefined ? [] : [NotFound, OwnerRevoked]),
      ...spec.refusals,
    ],
    describe: spec.describe,

    async run(tx, input, { actor }, { atMs, newId }) {
      const { organizationId } = actor;
      const found = spec.owner
        ? await spec.owner(tx, organizationId, input)
        : await findById(tx, organizationId, 'organization', organizationId);
      if (found === undefined) {
        return { refused: new NotFound(spec.address ?? 'organization'), unresolved: true };
      }
      const missing = missingPermissions(
        actor.permissions,
        spec.permissions(input, found instanceof NotFound ? undefined : found),
        spec.project?.(input),
      );
      const unresolved = found instanceof NotFound;
      if (missing.length > 0) return { refused: new PermissionDenied(missing), unresolved };
      if (unresolved) return { refused: found, unresolved };
      if (standing(await chainOf(tx, 'id', found.id), atMs) !== undefined) {
        return { refused: new OwnerRevoked() };
      }
      const owner = found;
      const row = newRow({
        id: input.id,
        organization_id: owner.organization_id,
        parent_id: owner.id,
        kind: spec.kind,
        issued_at_ms: atMs,
        created_by: actor.name,
      });
      const made = await spec.make(tx, row, input, { owner, actor: actor.name, newId });
      if (made instanceof Refusal) return { refused: made };
      const { row: done, deliverTo, superseded } = made;
      return { done, targetId: done.id, deliverTo, superseded };
    },
  };
}

/** Inserts a new row as it is. */
export async function insert(tx: Transaction<Tables>, row: Revocable): Promise<Changed> {
  await tx.insertInto('revocables').values(row).execute();
  return { row };
}
