import type { Transaction } from 'kysely';
import type { Tables, Target } from '../../db/tables.ts';
import type { TargetKind } from '../delivery/targets.ts';
import type { Action, Moment, Operation } from '../operation.ts';
import { missingPermissions } from '../permissions.ts';
import { NotFound, PermissionDenied, Refusal, type RefusalClass } from '../refusals.ts';
import { findTarget } from './find.ts';

/** What names a target. */
export interface OfTarget {
  readonly targetId: string;
}

/** What came of it: the target as it is now, and whether this owes it a delivery. */
export interface Changed {
  readonly target: Target;
  readonly deliverTo?: readonly Target[];
}

/** Something that is done with a target. */
export interface TargetChange<Input extends OfTarget, Value extends Changed, R extends Refusal> {
  readonly action: Action;
  /** The only kind that it knows; a target of another is not found. */
  readonly kind?: TargetKind;
  readonly refusals: readonly RefusalClass<R>[];
  /** What the ledger says behind the name of the target. */
  describe?(input: Input): string;
  /** Decides and changes; only `tx` may be awaited. */
  change(
    tx: Transaction<Tables>,
    target: Target,
    input: Input,
    by: Moment & { readonly actor: string },
  ): Promise<Value | R>;
}

/**
 * The operation behind it: the target is found in the caller's organization, the caller may manage it,
 * done. The ledger names a target as `createWebhook` and `createEnvironment` do.
 */
export function onTarget<Input extends OfTarget, Value extends Changed, R extends Refusal = never>(
  spec: TargetChange<Input, Value, R>,
): Operation<Input, Value, NotFound | PermissionDenied | R> {
  return {
    action: spec.action,
    kind: spec.kind ?? 'unknown',
    refusals: [NotFound, PermissionDenied, ...spec.refusals],
    describe: ({ targetId }) => targetId,

    async run(tx, input, { actor }, at) {
      const found = await findTarget(tx, actor.organizationId, input.targetId);
      if (found === undefined || (spec.kind !== undefined && found.target.kind !== spec.kind)) {
        return { refused: new NotFound(spec.kind ?? 'target'), unresolved: true };
      }
      const { target, project } = found;
      const path = [project, target.name].filter(Boolean).join('/');
      const named = { targetId: target.id, target: { kind: target.kind, target: path } };
      const missing = missingPermissions(actor.permissions, ['target:manage'], project);
      if (missing.length > 0) return { refused: new PermissionDenied(missing), ...named };
      if (spec.describe) named.target.target += `/${spec.describe(input)}`;
      const changed = await spec.change(tx, target, input, { ...at, actor: actor.name });
      return changed instanceof Refusal
        ? { refused: changed, ...named, unresolved: changed instanceof NotFound }
        : { done: changed, ...named, deliverTo: changed.deliverTo ?? [] };
    },
  };
}

/** Changes the row of a target. */
export async function setTarget(
  tx: Transaction<Tables>,
  target: Target,
  what: Partial<Target>,
): Promise<Changed> {
  await tx.updateTable('targets').set(what).where('id', '=', target.id).execute();
  return { target: { ...target, ...what } };
}
