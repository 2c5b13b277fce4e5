import type { Kysely } from 'kysely';
import type { ArchivesTable } from '../../db/archive-tables.ts';
import type { LedgerEntry, Tables } from '../../db/tables.ts';
import { append } from '../ledger.ts';
import type { Portions } from './portions.ts';

/** In whose name entries are archived, and what recording that takes. */
export interface Archivist {
  readonly actor: string;
  readonly requestId: string;
  readonly now: () => number;
  readonly newId: () => string;
}

/** The organization behind another in the order of ids, and the first entry that the ledger has of it. */
async function organizationAfter(
  db: Kysely<Tables>,
  id: string,
): Promise<Pick<LedgerEntry, 'organization_id' | 'seq'> | undefined> {
  return await db
    .selectFrom('ledger')
    .select(['organization_id', 'seq'])
    .where('organization_id', '>', id)
    .orderBy('organization_id')
    .orderBy('seq')
    .limit(1)
    .executeTakeFirst();
}

type Range = Pick<ArchivesTable, 'first_seq' | 'last_seq' | 'digest'>;

/** Records for an organization which of its entries are in an archive, and the digest of that. */
async function recordArchive(
  tx: Kysely<Tables>,
  { organization_id, seq: firstSeq }: Pick<LedgerEntry, 'organization_id' | 'seq'>,
  { last_seq, digest }: Range,
  { actor, requestId, now, newId }: Archivist,
): Promise<void> {
  const last = await tx
    .selectFrom('ledger')
    .select(['seq as last_seq', 'at_ms as last_at_ms'])
    .where('organization_id', '=', organization_id)
    .where('seq', '<=', last_seq)
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirstOrThrow();
  await tx
    .insertInto('archive_ends')
    .values({ organization_id, ...last })
    .onConflict((conflict) => conflict.column('organization_id').doUpdateSet(last))
    .execute();
  await append(tx, {
    id: newId(),
    organization_id,
    at_ms: now(),
    action: 'archive',
    kind: 'organization',
    target_id: organization_id,
    target: `${firstSeq}-${last.last_seq}`,
    outcome: 'done',
    refusal: null,
    reason: null,
    comment: digest,
    actor,
    actor_id: null,
    surface: 'cli',
    request_id: requestId,
  });
}

/**
 * Removes from the ledger what an archive holds, once every organization whose entries these are has
 * one that says so. It can be stopped at any moment, and goes on where it was.
 */
export async function removeArchived(
  portions: Portions,
  archive: Range,
  archivist: Archivist,
  progress: (removed: number) => void,
): Promise<void> {
  const { first_seq, last_seq } = archive;
  const update = (tx: Kysely<Tables>, change: Partial<ArchivesTable>) =>
    tx.updateTable('archives').set(change).where('last_seq', '=', last_seq).execute();

  await portions.run(undefined, async (tx, state) => {
    // Read each time: two processes may be at it.
    const { told } = await tx
      .selectFrom('archives')
      .select('told_organization_id as told')
      .where('last_seq', '=', last_seq)
      .executeTakeFirstOrThrow();
    const next = await organizationAfter(tx, told);
    if (next === undefined) return { state, more: false };
    if (next.seq <= last_seq) await recordArchive(tx, next, archive, archivist);
    await update(tx, { told_organization_id: next.organization_id });
    return { state, more: true };
  });

  const start = { removed: 0, seq: first_seq };
  const { removed } = await portions.run(start, async (tx, { removed, seq }, rows) => {
    const gone = await removeDeliveries(tx, seq, last_seq, rows);
    progress(removed + gone.length);
    const state = { removed: removed + gone.length, seq: Math.max(seq, ...gone) };
    return { state, more: gone.length === rows };
  });
  await portions.run(first_seq, async (tx, seq, rows) => {
    const next = Math.min(seq + rows, last_seq + 1);
    await tx.deleteFrom('ledger').where('seq', '>=', seq).where('seq', '<', next).execute();
    progress(removed + next - first_seq);
    return { state: next, more: next <= last_seq };
  });
  await portions.once((tx) => update(tx, { removed_at_ms: archivist.now() }));
}

/** Removes some, and says of which entries they were. What is gone already is not looked at again. */
async function removeDeliveries(
  tx: Kysely<Tables>,
  fromSeq: number,
  lastSeq: number,
  rows: number,
): Promise<number[]> {
  const gone = await tx
    .deleteFrom('deliveries')
    .where(({ eb, refTuple, selectFrom }) =>
      eb(
        refTuple('seq', 'target_id'),
        'in',
        selectFrom('deliveries')
          .select(['seq', 'target_id'])
          .where('seq', '>=', fromSeq)
          .where('seq', '<=', lastSeq)
          .orderBy('seq')
          .orderBy('target_id')
          .limit(rows)
          .$asTuple('seq', 'target_id'),
      ),
    )
    .returning('seq')
    .execute();
  return gone.map(({ seq }) => seq);
}
