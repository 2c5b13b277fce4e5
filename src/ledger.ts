import { type Kysely, sql } from 'kysely';
import type { LedgerEntry, Tables, Target } from '../db/tables.ts';
import { subscribersOf } from './delivery/targets.ts';

/** An entry that was appended, and the targets that are owed it. */
export interface Appended {
  readonly entry: LedgerEntry;
  readonly owed: readonly Target[];
}

/**
 * Appends to the ledger, and with it the deliveries that the entry owes. The number is taken inside
 * the transaction, so it follows commit order.
 *
 * @param also targets that are owed it whatever they subscribe to
 */
export async function append(
  tx: Kysely<Tables>,
  fields: Omit<LedgerEntry, 'seq'>,
  also: readonly Target[] = [],
): Promise<Appended> {
  const { seq } = await tx
    .insertInto('ledger')
    .values({ seq: sql<number>`(select coalesce(max(seq), 0) + 1 from ledger)`, ...fields })
    .returning('seq')
    .executeTakeFirstOrThrow();
  const entry = { seq, ...fields };
  const owed = [...also, ...(await subscribersOf(tx, entry))];
  if (owed.length > 0) {
    await tx
      .insertInto('deliveries')
      .values(owed.map(({ id }) => ({ seq, target_id: id, attempts: 0 })))
      .execute();
  }
  return { entry, owed };
}
