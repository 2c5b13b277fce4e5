import { type Kysely, sql } from 'kysely';
import type { LedgerEntry, Tables, Target } from '../db/tables.ts';
import { prepare } from './database/prepare.ts';
import { subscribersOf } from './delivery/targets.ts';

/** Engines limit the values of a statement: no number of targets may stop a revocation. */
const ROWS_PER_INSERT_MAX = 1_000;

type Fields = Omit<LedgerEntry, 'seq'>;

const insert = prepare<Fields, { seq: number }>((db, slot) =>
  db
    .insertInto('ledger')
    .values({
      seq: sql<number>`(select coalesce(max(seq), 0) + 1 from ledger)`,
      id: slot('id'),
      organization_id: slot('organization_id'),
      at_ms: slot('at_ms'),
      action: slot('action'),
      kind: slot('kind'),
      target_id: slot('target_id'),
      target: slot('target'),
      outcome: slot('outcome'),
      refusal: slot('refusal'),
      reason: slot('reason'),
      comment: slot('comment'),
      actor: slot('actor'),
      actor_id: slot('actor_id'),
      surface: slot('surface'),
      request_id: slot('request_id'),
    })
    .returning('seq'),
);

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
  fields: Fields,
  also: readonly Target[] = [],
): Promise<Appended> {
  const [appended] = (await insert(tx, fields)).rows;
  if (appended === undefined) throw new Error('The ledger has taken no entry');
  const { seq } = appended;
  const entry = { seq, ...fields };
  const owed = [...also, ...(await subscribersOf(tx, entry))];
  for (let i = 0; i < owed.length; i += ROWS_PER_INSERT_MAX) {
    const some = owed.slice(i, i + ROWS_PER_INSERT_MAX);
    await tx
      .insertInto('deliveries')
      .values(some.map(({ id }) => ({ seq, target_id: id, attempts: 0 })))
      .execute();
  }
  return { entry, owed };
}
