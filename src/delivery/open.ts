import { type Kysely, sql } from 'kysely';
import type { Delivery, Tables, Target } from '../../db/tables.ts';

/** What every query of unfinished deliveries asks for: literals, so that their index serves it. */
export const isOpen = sql<boolean>`acknowledged_at_ms is null and closed_at_ms is null and stuck_at_ms is null`;
export const isStuck = sql<boolean>`acknowledged_at_ms is null and closed_at_ms is null and stuck_at_ms is not null`;

/** The longest that is waited before any attempt. */
export const RETRY_MAX_MS = 3_600_000;

/** Attempts by which a delivery holds its place; after them those behind it may pass. */
export const IN_ORDER_ATTEMPTS_MAX = 6;

/** A delivery that is owed, and what of. */
export interface Owing extends Delivery {
  readonly action: string;
  readonly at_ms: number;
}

/** What is told of targets themselves: nobody waits for that, and the bound is not about it. */
export const aboutTargets: readonly string[] = ['late', 'stuck', 'test'];

/**
 * The oldest deliveries that a target is owed, in the order in which it is to have them. One that has
 * lost its place is among them only when it is due.
 */
export async function owedTo(
  db: Kysely<Tables>,
  targetId: string,
  nowMs: number,
  limit: number,
): Promise<Owing[]> {
  return await db
    .selectFrom('deliveries')
    .innerJoin('ledger', 'ledger.seq', 'deliveries.seq')
    .innerJoin('targets', 'targets.id', 'deliveries.target_id')
    .selectAll('deliveries')
    .select(['ledger.action', 'ledger.at_ms'])
    .where('deliveries.target_id', '=', targetId)
    .where('targets.removed_at_ms', 'is', null)
    .where(isOpen)
    .where((eb) =>
      eb.or([
        eb.and([
          eb('attempts', '<', IN_ORDER_ATTEMPTS_MAX),
          eb('ledger.action', 'not in', aboutTargets),
        ]),
        eb('next_attempt_at_ms', 'is', null),
        eb('next_attempt_at_ms', '<=', nowMs),
        // A clock that went back made this of it.
        eb('next_attempt_at_ms', '>', nowMs + RETRY_MAX_MS),
      ]),
    )
    .orderBy('deliveries.seq')
    .limit(limit)
    .execute();
}

/** When the next attempt at a target is due; undefined where none is waited for. */
export async function nextAttemptAt(
  db: Kysely<Tables>,
  targetId: string,
): Promise<number | undefined> {
  const row = await db
    .selectFrom('deliveries')
    .innerJoin('targets', 'targets.id', 'deliveries.target_id')
    .select(({ fn }) => fn.min('next_attempt_at_ms').as('at'))
    .where('target_id', '=', targetId)
    .where('targets.removed_at_ms', 'is', null)
    .where(isOpen)
    .executeTakeFirst();
  return row?.at ?? undefined;
}

/** A target, and how far one delivery to it is. */
export type Destination = Target & Pick<Delivery, 'attempts' | 'next_attempt_at_ms'>;

/** The target of a delivery, as both are now; undefined where it is owed that no more. */
export async function destinationOf(
  db: Kysely<Tables>,
  { seq, target_id }: Pick<Delivery, 'seq' | 'target_id'>,
): Promise<Destination | undefined> {
  return await db
    .selectFrom('deliveries')
    .innerJoin('targets', 'targets.id', 'deliveries.target_id')
    .selectAll('targets')
    .select(['deliveries.attempts', 'deliveries.next_attempt_at_ms'])
    .where('deliveries.seq', '=', seq)
    .where('deliveries.target_id', '=', target_id)
    .where('targets.removed_at_ms', 'is', null)
    .where(isOpen)
    .executeTakeFirst();
}

/** Entries of the ledger that are looked at for what another gateway brought to a target. */
const ENTRIES_BACK_MAX = 10_000;

/** Whether a target has acknowledged something lately, as far as the newest entries before one tell. */
export async function wasAcknowledgedSince(
  db: Kysely<Tables>,
  targetId: string,
  seq: number,
  sinceMs: number,
): Promise<boolean> {
  const row = await db
    .selectFrom('deliveries')
    .select('seq')
    .where('seq', '>', seq - ENTRIES_BACK_MAX)
    .where('seq', '!=', seq)
    .where('target_id', '=', targetId)
    .where('acknowledged_at_ms', '>=', sinceMs)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/**
 * When the oldest thing happened that a target is owed and the bound is about. What is told of targets
 * themselves is not: a target that is slow would be late with that for ever.
 */
export async function oldestBounded(
  db: Kysely<Tables>,
  targetId: string,
): Promise<number | undefined> {
  const row = await db
    .selectFrom('deliveries')
    .innerJoin('ledger', 'ledger.seq', 'deliveries.seq')
    .select('ledger.at_ms')
    .where('deliveries.target_id', '=', targetId)
    .where(isOpen)
    .where('ledger.action', 'not in', aboutTargets)
    .orderBy('deliveries.seq')
    .limit(1)
    .executeTakeFirst();
  return row?.at_ms;
}

/** A target that is owed something, and since when. */
export interface Owed {
  readonly target: Target;
  readonly sinceMs: number;
}

/** Every target that is owed something, with the moment of the oldest thing: a lookup for each. */
export async function allOwed(db: Kysely<Tables>): Promise<Owed[]> {
  const rows = await db
    .selectFrom('targets')
    .innerJoin('ledger', (join) =>
      join.on('ledger.seq', '=', (eb) =>
        eb
          .selectFrom('deliveries')
          .select(({ fn }) => fn.min<number>('seq').as('oldest'))
          .whereRef('target_id', '=', 'targets.id')
          .where(isOpen),
      ),
    )
    .selectAll('targets')
    .select('ledger.at_ms as sinceMs')
    .where('removed_at_ms', 'is', null)
    .execute();
  return rows.map(({ sinceMs, ...target }) => ({ target, sinceMs }));
}

/** Whether the attempts are used up for something that a target is owed. */
export async function hasStuck(db: Kysely<Tables>, targetId: string): Promise<boolean> {
  const one = db.selectFrom('deliveries').select('seq').where('target_id', '=', targetId);
  return (await one.where(isStuck).limit(1).executeTakeFirst()) !== undefined;
}
