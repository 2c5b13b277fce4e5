import type { Kysely, RawBuilder } from 'kysely';
import type { Tables } from '../../db/tables.ts';
import type { Loader } from '../credentials/load.ts';
import { isOpen, isStuck } from '../delivery/open.ts';

/** What a target is owed. */
export interface Backlog {
  readonly pending: number;
  readonly stuck: number;
  /** When the oldest thing happened that is pending. */
  readonly oldestPendingAtMs: number | null;
  /** What went wrong at the last attempt, while something is unfinished. */
  readonly lastError: string | null;
}

/** What targets are owed: an index lookup for each, and as many rows as are unfinished. */
export const backlogOf: Loader<string, Backlog> = {
  async batch(db, organizationId, ids) {
    const open = await unfinished(db, organizationId, ids, isOpen, 'min');
    const stuck = await unfinished(db, organizationId, ids, isStuck, 'max');
    return ids.map((id) => {
      const [pending, halted] = [open.get(id), stuck.get(id)];
      return {
        pending: pending?.count ?? 0,
        stuck: halted?.count ?? 0,
        oldestPendingAtMs: pending?.at_ms ?? null,
        lastError: pending?.last_error ?? halted?.last_error ?? null,
      };
    });
  },
};

/** How much is unfinished at each target, and the oldest of it, or the newest. */
async function unfinished(
  db: Kysely<Tables>,
  organizationId: string,
  ids: readonly string[],
  state: RawBuilder<boolean>,
  end: 'min' | 'max',
) {
  const rows = await db
    .selectFrom((eb) =>
      eb
        .selectFrom('deliveries')
        .select(({ fn }) => [
          'target_id',
          fn.countAll<number>().as('count'),
          fn[end]<number>('seq').as('seq'),
        ])
        .where('target_id', 'in', ids)
        .where(state)
        .groupBy('target_id')
        .as('owed'),
    )
    .innerJoin('ledger', 'ledger.seq', 'owed.seq')
    .innerJoin('targets', 'targets.id', 'owed.target_id')
    .innerJoin('deliveries', (join) =>
      join
        .onRef('deliveries.seq', '=', 'owed.seq')
        .onRef('deliveries.target_id', '=', 'owed.target_id'),
    )
    .select(['owed.target_id', 'owed.count', 'ledger.at_ms', 'deliveries.last_error'])
    .where('ledger.organization_id', '=', organizationId)
    // What is being closed is owed no more.
    .where('targets.removed_at_ms', 'is', null)
    .execute();
  return new Map(rows.map((row) => [row.target_id, row]));
}
