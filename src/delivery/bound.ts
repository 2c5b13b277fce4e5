import type { Kysely } from 'kysely';
import type { Tables, Target } from '../../db/tables.ts';
import { append } from '../ledger.ts';
import type { Writes } from '../writes.ts';
import { targetEvent } from './lane.ts';
import { type Owed, oldestBounded } from './open.ts';

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
    const caughtUp = known.filter(({ id }) => !behind.some(({ target }) => target.id === id));
    const news: Owed[] = [];
    for (const { target } of behind.filter((each) => each.target.late_since_ms === null)) {
      const sinceMs = await oldestBounded(reader, target.id);
      if (sinceMs !== undefined && sinceMs + effectBoundMs < atMs) news.push({ target, sinceMs });
    }
    if (news.length === 0 && caughtUp.length === 0) return;
    const told = await writes.run(async (tx) => {
      const subscribers: Target[] = [];
      for (const { id } of caughtUp) {
        await tx.updateTable('targets').set({ late_since_ms: null }).where('id', '=', id).execute();
      }
      for (const { target, sinceMs } of news) {
        const { numUpdatedRows } = await tx
          .updateTable('targets')
          .set({ late_since_ms: sinceMs })
          .where('id', '=', target.id)
          .where('removed_at_ms', 'is', null)
          .where('late_since_ms', 'is', null)
          .executeTakeFirst();
        // Removed since it was looked at, or recorded by another process.
        if (numUpdatedRows === 0n) continue;
        const event = targetEvent(
          target,
          'late',
          `Not acknowledged within ${effectBoundMs} ms: waiting since ${new Date(sinceMs).toISOString()}`,
        );
        const appended = await append(tx, { ...event, id: newId(), at_ms: atMs });
        subscribers.push(...appended.owed);
      }
      return subscribers;
    });
    announce(told);
  };
}
