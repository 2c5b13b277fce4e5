import type { Kysely } from 'kysely';
import type { Tables } from '../../db/tables.ts';
import type { Writes } from '../writes.ts';
import { createPortions, type Portions } from './portions.ts';
import { countExpired, expiredFrom, removeExpired } from './prune-credentials.ts';

export interface Pruning {
  readonly reader: Kysely<Tables>;
  readonly writes: Writes;
  readonly now: () => number;
  /** How long ago a credential must have expired. */
  readonly expiredForMs: number;
  /** Whether it is only said what would be removed. */
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
  /** Told what is being done, and how far it is. */
  readonly progress: (what: string, count: number) => void;
}

/** What was removed. */
export interface PruneResult {
  /** By kind. */
  readonly credentials: Readonly<Record<string, number>>;
  /** Assertions of OAuth clients that were used, and count no more. */
  readonly assertions: number;
  /** Secrets of targets whose time beside the newer ones is over. */
  readonly secrets: number;
  readonly longestTransactionMs: number;
}

/** Removes what no verdict needs any more. It can be stopped at any moment. */
export async function prune(pruning: Pruning): Promise<PruneResult> {
  const portions = createPortions(pruning.writes, pruning.signal);
  return {
    credentials: await pruneCredentials(pruning, portions),
    assertions: await pruneAssertions(pruning, portions),
    secrets: await pruneSecrets(pruning, portions),
    longestTransactionMs: Math.round(portions.longestMs() * 10) / 10,
  };
}

async function pruneCredentials(
  { reader, now, expiredForMs, dryRun, signal, progress }: Pruning,
  portions: Portions,
): Promise<Record<string, number>> {
  const beforeMs = now() - expiredForMs;
  let counts: Record<string, number> = {};
  const tell = () =>
    progress(
      'credentials',
      Object.values(counts).reduce((a, b) => a + b, 0),
    );
  for (let id = await organizationAfter(reader, ''); id !== undefined; ) {
    const start = expiredFrom(id, beforeMs, counts);
    if (dryRun) counts = await countExpired(reader, start, signal);
    else {
      ({ counts } = await portions.run(start, async (tx, state, rows) => {
        const removed = await removeExpired(tx, state, rows);
        counts = removed.state.counts;
        tell();
        return removed;
      }));
    }
    tell();
    id = await organizationAfter(reader, id);
  }
  return counts;
}

async function organizationAfter(db: Kysely<Tables>, id: string): Promise<string | undefined> {
  const row = await db
    .selectFrom('revocables')
    .select('organization_id')
    .where('organization_id', '>', id)
    .orderBy('organization_id')
    .limit(1)
    .executeTakeFirst();
  return row?.organization_id;
}

async function pruneAssertions(
  { reader, now, expiredForMs, dryRun }: Pruning,
  portions: Portions,
): Promise<number> {
  const beforeMs = now() - expiredForMs;
  let total = 0;
  for (
    let id = await clientAfter(reader, '');
    id !== undefined;
    id = await clientAfter(reader, id)
  ) {
    const clientId = id;
    if (dryRun) {
      const { count } = await reader
        .selectFrom('client_assertions')
        .select(({ fn }) => fn.countAll<number>().as('count'))
        .where('client_id', '=', clientId)
        .where('expires_at_ms', '<', beforeMs)
        .executeTakeFirstOrThrow();
      total += count;
      continue;
    }
    total = await portions.run(total, async (tx, removed, rows) => {
      const { numDeletedRows } = await tx
        .deleteFrom('client_assertions')
        .where('client_id', '=', clientId)
        .where('assertion_hash', 'in', (eb) =>
          eb
            .selectFrom('client_assertions')
            .select('assertion_hash')
            .where('client_id', '=', clientId)
            .where('expires_at_ms', '<', beforeMs)
            .orderBy('expires_at_ms')
            .limit(rows),
        )
        .executeTakeFirst();
      return { state: removed + Number(numDeletedRows), more: Number(numDeletedRows) === rows };
    });
  }
  return total;
}

async function clientAfter(db: Kysely<Tables>, id: string): Promise<string | undefined> {
  const row = await db
    .selectFrom('client_assertions')
    .select('client_id')
    .where('client_id', '>', id)
    .orderBy('client_id')
    .limit(1)
    .executeTakeFirst();
  return row?.client_id;
}

async function pruneSecrets({ reader, now, dryRun }: Pruning, portions: Portions): Promise<number> {
  const untilMs = now();
  if (dryRun) {
    const { count } = await reader
      .selectFrom('targets')
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .where('previous_secret_until_ms', '<=', untilMs)
      .executeTakeFirstOrThrow();
    return count;
  }
  return await portions.run(0, async (tx, forgotten, rows) => {
    const { numUpdatedRows } = await tx
      .updateTable('targets')
      .set({ previous_secret_jwe: null, previous_secret_until_ms: null })
      .where('id', 'in', (eb) =>
        eb
          .selectFrom('targets')
          .select('id')
          .where('previous_secret_until_ms', '<=', untilMs)
          .orderBy('previous_secret_until_ms')
          .limit(rows),
      )
      .executeTakeFirst();
    return { state: forgotten + Number(numUpdatedRows), more: Number(numUpdatedRows) === rows };
  });
}
