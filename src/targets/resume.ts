import { isOpen, isStuck } from '../delivery/open.ts';
import { type Changed, type OfTarget, onTarget } from './operation.ts';

export interface Resumed extends Changed {
  /** How many deliveries were stuck. */
  readonly count: number;
}

/** Has what is stuck at a target tried again from the beginning, and what waits tried at once. */
export const resumeTarget = onTarget<OfTarget, Resumed>({
  action: 'resume',
  refusals: [],

  async change(tx, target) {
    await tx
      .updateTable('deliveries')
      .set({ next_attempt_at_ms: null })
      .where('target_id', '=', target.id)
      .where(isOpen)
      .where('next_attempt_at_ms', 'is not', null)
      .execute();
    const { numUpdatedRows } = await tx
      .updateTable('deliveries')
      .set({ attempts: 0, stuck_at_ms: null })
      .where('target_id', '=', target.id)
      .where(isStuck)
      .executeTakeFirst();
    return { target, count: Number(numUpdatedRows) };
  },
});
