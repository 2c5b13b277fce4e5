import { type Kysely, sql } from 'kysely';
import type { Delivery, LedgerEntry, Tables } from '../../db/tables.ts';

/** An entry of the ledger, and what became of bringing it to each target. */
export interface Recorded {
  readonly entry: LedgerEntry;
  readonly deliveries: readonly Delivery[];
}

/** Which entries are wanted: those in a row from the first that fit. */
export interface Wanted {
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** Only what was made before. */
  readonly beforeMs: number;
}

/** What is read at once, at the most: memory does not grow with the ledger. */
const ENTRIES_MAX = 200;
const DELIVERIES_MAX = 1_000;

/**
 * Reads entries in order, up to the first that is not wanted or still owes a delivery.
 *
 * @returns the entry that still owes one, where it was that which ended it
 */
export async function* readRange(
  db: Kysely<Tables>,
  { firstSeq, lastSeq, beforeMs }: Wanted,
): AsyncGenerator<Recorded, number | undefined> {
  for (let after = firstSeq - 1; ; ) {
    const entries: LedgerEntry[] = await db
      .selectFrom('ledger')
      .selectAll()
      .where('seq', '>', after)
      .where('seq', '<=', lastSeq)
      .orderBy('seq')
      .limit(ENTRIES_MAX)
      .execute();
    const end = entries.at(-1)?.seq;
    if (end === undefined) return undefined;
    const unfinished = await firstUnfinished(db, after, end);
    const deliveries = deliveriesOf(db, after, end);
    let next = await deliveries.next();
    for (const entry of entries) {
      if (entry.at_ms >= beforeMs) return undefined;
      if (entry.seq === unfinished) return unfinished;
      const own: Delivery[] = [];
      for (; !next.done && next.value.seq === entry.seq; next = await deliveries.next()) {
        own.push(next.value);
      }
      yield { entry, deliveries: own };
    }
    after = end;
  }
}

/** The first entry in a range that owes a target something: what is finished stays so. */
async function firstUnfinished(
  db: Kysely<Tables>,
  after: number,
  end: number,
): Promise<number | undefined> {
  const row = await db
    .selectFrom('deliveries')
    .select('seq')
    .where('seq', '>', after)
    .where('seq', '<=', end)
    .where('acknowledged_at_ms', 'is', null)
    .where('closed_at_ms', 'is', null)
    .orderBy('seq')
    .limit(1)
    .executeTakeFirst();
  return row?.seq;
}

async function* deliveriesOf(
  db: Kysely<Tables>,
  afterSeq: number,
  lastSeq: number,
): AsyncGenerator<Delivery> {
  let [seq, targetId] = [afterSeq + 1, ''];
  for (;;) {
    const page: Delivery[] = await db
      .selectFrom('deliveries')
      .selectAll()
      .where(sql<boolean>`(seq, target_id) > (${seq}, ${targetId})`)
      .where('seq', '<=', lastSeq)
      .orderBy('seq')
      .orderBy('target_id')
      .limit(DELIVERIES_MAX)
      .execute();
    yield* page;
    const last = page.at(-1);
    if (last === undefined || page.length < DELIVERIES_MAX) return;
    [seq, targetId] = [last.seq, last.target_id];
  }
}
