import { type Kysely, sql } from 'kysely';
import type { Tables } from '../../db/tables.ts';
import { prepare } from '../database/prepare.ts';
import { allOwed, isOpen, isStuck } from '../delivery/open.ts';

/** The kinds of targets. */
export const targetKinds = ['environment', 'webhook', 'enforcement-point'] as const;

/** So many deliveries are counted at the most: what has piled up must not hold up who looks at it. */
export const OUTBOX_COUNT_MAX = 10_000;

/** What all targets of one kind are owed. */
export interface OutboxOfKind {
  readonly kind: string;
  readonly open: number;
  readonly stuck: number;
  /** When the oldest thing happened that is open; undefined where there is none. */
  readonly oldestAtMs: number | undefined;
}

/** What is owed to all targets, by their kind. */
export async function readOutbox(db: Kysely<Tables>): Promise<OutboxOfKind[]> {
  const [open] = (await countOpen(db, {})).rows;
  const [stuck] = (await countStuck(db, {})).rows;
  const owed = await allOwed(db);
  return targetKinds.map((kind, i) => {
    const since = owed.flatMap(({ target, sinceMs }) => (target.kind === kind ? sinceMs : []));
    return {
      kind,
      open: Number(open?.[`kind${i}`] ?? 0),
      stuck: Number(stuck?.[`kind${i}`] ?? 0),
      oldestAtMs: least(since),
    };
  });
}

/** When the oldest thing happened that any target is owed. */
export async function oldestOwed(db: Kysely<Tables>): Promise<number | undefined> {
  const owed = await allOwed(db);
  return least(owed.map(({ sinceMs }) => sinceMs));
}

/** Of any number of moments the first. */
const least = (moments: readonly number[]): number | undefined =>
  moments.reduce((a: number | undefined, b) => (a !== undefined && a < b ? a : b), undefined);

type Counts = Readonly<Record<string, number>>;

/** How many are in a state, by kind: in one row, since to group would be to sort. */
const counting = (state: typeof isOpen) =>
  prepare<object, Counts>((db) =>
    db
      .selectFrom((eb) =>
        eb
          .selectFrom('deliveries')
          .innerJoin('targets', 'targets.id', 'deliveries.target_id')
          .select('targets.kind')
          .where(state)
          // What is being closed is owed no more.
          .where('targets.removed_at_ms', 'is', null)
          .limit(sql.lit(OUTBOX_COUNT_MAX))
          .as('owed'),
      )
      .select(
        targetKinds.map((kind, i) =>
          sql<number>`count(case when kind = ${sql.lit(kind)} then 1 end)`.as(`kind${i}`),
        ),
      ),
  );

const countOpen = counting(isOpen);
const countStuck = counting(isStuck);
