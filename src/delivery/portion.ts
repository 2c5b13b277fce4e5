import type { Kysely, RawBuilder } from 'kysely';
import type { DeliveriesTable, Tables } from '../../db/tables.ts';

/** Deliveries that one statement changes, at the most: however much a target is owed, nobody waits for it. */
export const PORTION_MAX = 2_000;

interface Change {
  readonly targetId: string;
  /** Which are looked at: open or stuck, so that an index serves it. */
  readonly state: RawBuilder<boolean>;
  /** Which of them are changed; all unless said. */
  readonly only?: RawBuilder<boolean>;
  readonly set: Partial<DeliveriesTable>;
  /** Only those of later entries. */
  readonly after?: number;
}

/** What was changed, and up to which entry; undefined: there is no more behind it. */
export interface Portion {
  readonly count: number;
  readonly upTo: number | undefined;
}

/** Changes the oldest of the deliveries to a target that are in a state. */
export async function changePortion(
  tx: Kysely<Tables>,
  { targetId, state, only, set, after = 0 }: Change,
): Promise<Portion> {
  const last = await tx
    .selectFrom('deliveries')
    .select('seq')
    .where('target_id', '=', targetId)
    .where('seq', '>', after)
    .where(state)
    .orderBy('seq')
    .offset(PORTION_MAX - 1)
    .limit(1)
    .executeTakeFirst();
  let update = tx
    .updateTable('deliveries')
    .set(set)
    .where('target_id', '=', targetId)
    .where('seq', '>', after)
    .where('seq', '<=', last?.seq ?? Number.MAX_SAFE_INTEGER)
    .where(state);
  if (only !== undefined) update = update.where(only);
  const { numUpdatedRows } = await update.executeTakeFirst();
  return { count: Number(numUpdatedRows), upTo: last?.seq };
}
