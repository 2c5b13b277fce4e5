import { setImmediate } from 'node:timers/promises';
import { type Kysely, sql } from 'kysely';
import type { Tables } from '../../db/tables.ts';

/** How far the expired credentials of an organization were looked at. */
export interface Place {
  readonly organizationId: string;
  /** Only those that have expired before. */
  readonly beforeMs: number;
  /** Those behind this one, in the order of their expiry. */
  readonly after: { readonly expiresAtMs: number; readonly id: string };
  /** How many may go, by kind, of those before; of other organizations too. */
  readonly counts: Readonly<Record<string, number>>;
}

/** The beginning. */
export const expiredFrom = (
  organizationId: string,
  beforeMs: number,
  counts: Place['counts'],
): Place => ({ organizationId, beforeMs, after: { expiresAtMs: 0, id: '' }, counts });

/** Kinds that may expire. Nothing stands on them. */
const kinds: ReadonlySet<string> = new Set([
  'access-token',
  'api-key',
  'personal-access-token',
  'service-account-token',
]);

/**
 * Looks at some that have expired. One that is revoked stays for as long as its revocation is in the
 * ledger: whoever is told of that may ask what it was.
 *
 * @returns those that may go, and the place behind all that were looked at
 */
async function look(
  db: Kysely<Tables>,
  { organizationId, beforeMs, after, counts }: Place,
  rows: number,
): Promise<{ ids: string[]; state: Place; more: boolean }> {
  const found = await db
    .selectFrom('revocables')
    .select(['id', 'kind', 'expires_at_ms'])
    .select(({ exists, selectFrom }) =>
      exists(
        selectFrom('ledger')
          .select('seq')
          .whereRef('ledger.organization_id', '=', 'revocables.organization_id')
          .whereRef('ledger.id', '=', 'revocables.revocation_id')
          // Literals, so that the index of revocations serves them.
          .where('ledger.action', '=', sql.lit('revoke'))
          .where('ledger.outcome', '=', sql.lit('done')),
      ).as('recorded'),
    )
    .where('organization_id', '=', organizationId)
    .where('expires_at_ms', '<', beforeMs)
    .where(sql<boolean>`(expires_at_ms, id) > (${after.expiresAtMs}, ${after.id})`)
    .orderBy('expires_at_ms')
    .orderBy('id')
    .limit(rows)
    .execute();
  const ended = found.filter(({ kind, recorded }) => kinds.has(kind) && !recorded);
  const counted = { ...counts };
  for (const { kind } of ended) counted[kind] = (counted[kind] ?? 0) + 1;
  const last = found.at(-1);
  const behind = last === undefined ? after : { expiresAtMs: last.expires_at_ms ?? 0, id: last.id };
  return {
    ids: ended.map(({ id }) => id),
    state: { organizationId, beforeMs, after: behind, counts: counted },
    more: found.length === rows,
  };
}

/** Removes some that have expired, and what is kept beside them. */
export async function removeExpired(tx: Kysely<Tables>, place: Place, rows: number) {
  const { ids, ...looked } = await look(tx, place, rows);
  const [first] = ids;
  if (first === undefined) return looked;
  // Always as many, so that there are few statements to prepare.
  const padded = Array.from({ length: rows }, (_, i) => ids[i] ?? first);
  await tx.deleteFrom('access_tokens').where('id', 'in', padded).execute();
  await tx.deleteFrom('revocables').where('id', 'in', padded).execute();
  return looked;
}

/** What is looked at, at once. */
const ROWS_MAX = 256;

/** Counts what would be removed. */
export async function countExpired(
  db: Kysely<Tables>,
  place: Place,
  signal: AbortSignal,
): Promise<Place['counts']> {
  let { state, more } = await look(db, place, ROWS_MAX);
  while (more) {
    await setImmediate();
    signal.throwIfAborted();
    ({ state, more } = await look(db, state, ROWS_MAX));
  }
  return state.counts;
}
