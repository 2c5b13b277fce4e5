import type { Kysely } from 'kysely';
import type { Tables, Target } from '../../db/tables.ts';
import type { Writes } from '../writes.ts';
import { hasStuck, type Owed, oldestBounded } from './open.ts';
import { recordLate } from './target-events.ts';

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
 * behind it is recorded once, as an event, and may do so again once it has caught up.
 */
export function watchBound({ reader, writes, now, newId, effectBoundMs, announce }: Options) {
  return async (owed: readonly Owed[]): Promise<void> => {
    const atMs = now();
    const behind = owed.filter(({ sinceMs }) => sinceMs + effectBoundMs < atMs);
    const known = await reader
      .selectFrom('targets')
      .select('id')
      .where('late_since_ms', 'is not', null)
      .execute();
    const caughtUp: string[] = [];
    for (const { id } of known) {
      // What is stuck has not arrived either.
      if (behind.some(({ target }) => target.id === id) || (await hasStuck(reader, id))) continue;
      caughtUp.push(id);
    }
    if (caughtUp.length > 0) {
      await writes.run(async (tx) => {
        const still = tx.updateTable('targets').set({ late_since_ms: null });
        await still.where('id', 'in', caughtUp).execute();
      });
    }
    for (const { target } of behind.filter((each) => each.target.late_since_ms === null)) {
      const sinceMs = await oldestBounded(reader, target.id);
      if (sinceMs === undefined || sinceMs + effectBoundMs >= atMs) continue;
      // One at a time, so that no revocation waits for all of them.
      const told = await writes.run((tx) =>
        recordLate(tx, target, sinceMs, { atMs, newId, effectBoundMs }),
      );
      announce(told);
    }
  };
}
