import { type Kysely, sql } from 'kysely';
import type { Tables } from '../../db/tables.ts';
import { isOpen, isStuck } from '../delivery/open.ts';
import { changePortion } from '../delivery/portion.ts';
import type { Writes } from '../writes.ts';
import { type Changed, type OfTarget, onTarget } from './operation.ts';

export interface Resumed extends Changed {
  /** How many deliveries were stuck. */
  readonly count: number;
  /** Up to which entry what waits is tried at once; undefined: all of it is. */
  readonly waitingUpTo: number | undefined;
  /** Whether more is stuck. */
  readonly more: boolean;
}

type Portion = Pick<Resumed, 'count' | 'waitingUpTo' | 'more'>;

/** Has what is stuck at a target tried again from the beginning, and what waits tried at once. */
export const resumeTarget = onTarget<OfTarget, Resumed>({
  action: 'resume',
  refusals: [],
  change: async (tx, target) => ({ target, ...(await resumePortion(tx, target.id, 0)) }),
});

/**
 * Resumes what the operation has left, in parts.
 *
 * @returns with how many deliveries were stuck in all
 */
export async function resumeRest(writes: Writes, resumed: Resumed): Promise<Resumed> {
  const { target } = resumed;
  let all = resumed;
  while (all.waitingUpTo !== undefined || all.more) {
    const { count, waitingUpTo: after } = all;
    const portion = await writes.runPart(async (tx) => {
      const row = tx.selectFrom('targets').select('removed_at_ms').where('id', '=', target.id);
      const { removed_at_ms } = await row.executeTakeFirstOrThrow();
      return removed_at_ms === null ? await resumePortion(tx, target.id, after) : done;
    });
    all = { ...all, ...portion, count: count + portion.count };
  }
  return all;
}

const done: Portion = { count: 0, waitingUpTo: undefined, more: false };

const isWaiting = sql<boolean>`next_attempt_at_ms is not null`;

/** What waits first, and only then what is stuck: that is open, and waits for nothing, from then on. */
async function resumePortion(
  tx: Kysely<Tables>,
  targetId: string,
  after: number | undefined,
): Promise<Portion> {
  if (after !== undefined) {
    const set = { next_attempt_at_ms: null };
    const { upTo } = await changePortion(tx, {
      ...{ targetId, state: isOpen, only: isWaiting, set, after },
    });
    if (upTo !== undefined) return { count: 0, waitingUpTo: upTo, more: true };
  }
  const set = { attempts: 0, stuck_at_ms: null };
  const { count, upTo } = await changePortion(tx, { targetId, state: isStuck, set });
  return { count, waitingUpTo: undefined, more: upTo !== undefined };
}
