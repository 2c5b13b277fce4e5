import { type Kysely, sql } from 'kysely';
import type { Delivery, Tables, Target } from '../../db/tables.ts';

/** What every query of unfinished deliveries asks for: literals, so that their index serves it. */
export const isOpen = sql<boolean>`acknowledged_at_ms is null and closed_at_ms is null and stuck_at_ms is null`;
export const isStuck = sql<boolean>`acknowledged_at_ms is null and closed_at_ms is null and stuck_at_ms is not null`;

/** The oldest deliveries that a target is owed, in the order in which it is to have them. */
export async function owedTo(
  db: Kysely<Tables>,
  targetId: string,
  limit: number,
): Promise<Delivery[]> {
  return await db
    .selectFrom('deliveries')
    .selectAll()
    .where('target_id', '=', targetId)
    .where(isOpen)
    .orderBy('seq')
    .limit(limit)
    .execute();
}

/** A target that is owed something, and since when. */
export interface Owed {
  readonly target: Target;
  readonly sinceMs: number;
}

/** Every target that is owed something, with the moment of the oldest thing. */
export async function allOwed(db: Kysely<Tables>): Promise<Owed[]> {
  const rows = await db
    .selectFrom((eb) =>
      eb
        .selectFrom('deliveries')
        .select(({ fn }) => ['target_id', fn.min('seq').as('oldest')])
        .where(isOpen)
        .groupBy('target_id')
        .as('behind'),
    )
    .innerJoin('targets', 'targets.id', 'behind.target_id')
    .innerJoin('ledger', 'ledger.seq', 'behind.oldest')
    .selectAll('targets')
    .select('ledger.at_ms as sinceMs')
    .execute();
  return rows.map(({ sinceMs, ...target }) => ({ target, sinceMs }));
}
