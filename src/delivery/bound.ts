import type { Kysely } from 'kysely';
import type { Tables, Target } from '../../db/tables.ts';
import type { Writes } from '../writes.ts';
import { hasStuck, type Owed, oldestBounded } from './open.ts';
import { recordLate } from './target-events.ts';

type Late = Pick<Target, 'id' | 'late_since_ms'>;

interface Options {
  readonly reader: Kysely<Tables>;
  readonly writes: Writes;
  readonly now: () => number;
  readonly newId: () => string;
  readonly effectBoundMs: number;
  readonly announce: (owed: readonly Target[]) => void;
}

/**
 * Watches that every target learns of everything within the published bound. A target that falls
 * behind it is recorded once, as an event, and may do so again once it has caught up. However many
 * gateways watch, what decides is looked at once more in the transaction that writes it.
 */
export function watchBound({ reader, writes, now, newId, effectBoundMs, announce }: Options) {
  const isBehind = (sinceMs: number | undefined) =>
    sinceMs !== undefined && sinceMs + effectBoundMs < now();

  /** What is stuck has not arrived either; and that for which it is late has not, whatever time it is here. */
  async function hasCaughtUp(db: Kysely<Tables>, { id, late_since_ms }: Late): Promise<boolean> {
    const sinceMs = await oldestBounded(db, id);
    return sinceMs !== late_since_ms && !isBehind(sinceMs) && !(await hasStuck(db, id));
  }

  return async (owed: readonly Owed[]): Promise<void> => {
    const behind = owed.filter(({ sinceMs }) => isBehind(sinceMs));
    const known = await reader
      .selectFrom('targets')
      .select(['id', 'late_since_ms', 'removed_at_ms'])
      .where('late_since_ms', 'is not', null)
      .execute();
    for (const late of known) {
      // There it says that something is still to be closed.
      if (late.removed_at_ms !== null) continue;
      if (behind.some(({ target }) => target.id === late.id)) continue;
      if (!(await hasCaughtUp(reader, late))) continue;
      await writes.run(async (tx) => {
        if (!(await hasCaughtUp(tx, late))) return;
        const { id, late_since_ms } = late;
        const still = tx.updateTable('targets').set({ late_since_ms: null });
        await still.where('id', '=', id).where('late_since_ms', '=', late_since_ms).execute();
      });
    }
    for (const { target } of behind) {
      if (target.late_since_ms !== null) continue;
      if (!isBehind(await oldestBounded(reader, target.id))) continue;
      // One at a time, so that no revocation waits for all of them.
      const told = await writes.run(async (tx) => {
        const oldestMs = await oldestBounded(tx, target.id);
        return oldestMs !== undefined && isBehind(oldestMs)
          ? await recordLate(tx, target, oldestMs, { atMs: now(), newId, effectBoundMs })
          : [];
      });
      announce(told);
    }
  };
}
