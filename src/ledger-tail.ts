import { setImmediate } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import type { LedgerEntry, Tables } from '../db/tables.ts';
import { Archived, archivedUpTo } from './retention/archived.ts';

/** Follows the ledger as it grows, whoever makes it grow. */
export interface LedgerTail {
  /** Says that this process has committed something. */
  nudge(): void;
  /** Where the ledger ends. */
  position(): Promise<number>;
  /** Its last entry; without an id, and 0, where it has none. */
  end(): Promise<{ readonly seq: number; readonly id: string | undefined }>;
  /**
   * Resolves once the ledger may have grown since this was asked, `idleMs` are over or the signal aborts;
   * with false where the tail is closed.
   */
  changed(signal: AbortSignal, idleMs: number): Promise<boolean>;
  /**
   * Each entry of the organization after a position, in order and without a gap, as soon as it is
   * committed: a list whenever there is something new, and an empty one at least every `idleMs`, until
   * the signal aborts or the tail is closed. Throws `Archived` where some are in the ledger no more.
   */
  follow(
    organizationId: string,
    after: number,
    options: { readonly signal: AbortSignal; readonly idleMs: number },
  ): AsyncGenerator<readonly LedgerEntry[]>;
  /** Ends every follower. */
  close(): void;
}

/** How often the ledger is looked at for what other processes commit. */
export const TAIL_POLL_MS = 100;

/** Entries that a follower is given at once, at the most. */
const ENTRIES_MAX = 500;

export function createLedgerTail(reader: Kysely<Tables>): LedgerTail {
  const waiting = new Set<() => void>();
  let closed = false;
  let poll: NodeJS.Timeout | undefined;
  let seen = -1;

  function wakeAll(): void {
    for (const wake of waiting) wake();
  }

  async function end() {
    const row = await reader
      .selectFrom('ledger')
      .select(['seq', 'id'])
      .where('seq', '=', (eb) =>
        eb.selectFrom('ledger').select(({ fn }) => fn.max('seq').as('end')),
      )
      .executeTakeFirst();
    return row ?? { seq: 0, id: undefined };
  }

  const position = async () => (await end()).seq;

  /** Looks for others' commits for as long as somebody waits. */
  function keepLooking(): void {
    if (poll !== undefined || closed) return;
    poll = setTimeout(async () => {
      // Whoever reads next meets the same fault, and can tell of it.
      const now = await position().catch(() => Number.NaN);
      poll = undefined;
      if (now !== seen) wakeAll();
      seen = now;
      if (waiting.size > 0) keepLooking();
    }, TAIL_POLL_MS);
    poll.unref();
  }

  /** Resolves when the ledger may have grown, or the time is over. */
  function changed(signal: AbortSignal, idleMs: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        waiting.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      const timer = setTimeout(wake, idleMs).unref();
      waiting.add(wake);
      signal.addEventListener('abort', wake);
      keepLooking();
    });
  }

  return {
    position,
    end,
    async changed(signal, idleMs) {
      if (!closed && !signal.aborted) await changed(signal, idleMs);
      return !closed;
    },
    nudge: wakeAll,
    close() {
      closed = true;
      clearTimeout(poll);
      wakeAll();
    },
    async *follow(organizationId, after, { signal, idleMs }) {
      let cursor = after;
      while (!signal.aborted && !closed) {
        // Asked for before reading, so that nothing falls between.
        const next = changed(signal, idleMs);
        const entries = await reader
          .selectFrom('ledger')
          .selectAll()
          .where('organization_id', '=', organizationId)
          .where('seq', '>', cursor)
          .orderBy('seq')
          .limit(ENTRIES_MAX)
          .execute();
        // Looked at behind them: what was archived before may be missing among them.
        const upTo = await archivedUpTo(reader, organizationId);
        if (cursor < upTo) throw new Archived(upTo);
        cursor = entries.at(-1)?.seq ?? cursor;
        yield entries;
        // A long way to catch up leaves room for what others ask meanwhile.
        await (entries.length < ENTRIES_MAX ? next : setImmediate());
      }
    },
  };
}
