import { type Kysely, sql } from 'kysely';
import type { LedgerEntry, Tables } from '../../db/tables.ts';
import { authMethods } from '../standing.ts';
import { limitedAmong } from './limited.ts';

/** What an entry of the ledger changes for whoever keeps verdicts. */
export interface Change {
  readonly seq: number;
  /** When it happened. */
  readonly at: number;
  /** `limited`: something about the row has changed, so it is to be asked about. */
  readonly type: 'revoked' | 'used-up' | 'limited' | 'cut-off';
  /** The row; null for JWTs of others, which are none. */
  readonly id: string | null;
  readonly kind: string;
}

/** What is new behind a position. */
export interface News {
  /** Each with the id of its entry. */
  readonly changes: readonly (readonly [Change, entryId: string])[];
  /** Everything up to here is in the changes, or changes nothing. */
  readonly position: number;
  /** Whether the ledger goes on behind it. */
  readonly more: boolean;
}

/** Entries that are read at once, at the most. */
const ENTRIES_MAX = 500;

type Entry = Pick<LedgerEntry, 'seq' | 'id' | 'at_ms' | 'action' | 'kind' | 'target_id'>;

/**
 * Reads what has changed in the organization behind a position.
 *
 * @param end where the ledger ended at some moment before: nothing beyond it is looked at, so whatever
 * is committed meanwhile cannot be skipped
 */
export async function changesAfter(
  db: Kysely<Tables>,
  organizationId: string,
  position: number,
  end: number,
): Promise<News> {
  if (end <= position) return { changes: [], position, more: false };
  const entries: Entry[] = await db
    .selectFrom('ledger')
    .select(['seq', 'id', 'at_ms', 'action', 'kind', 'target_id'])
    .where('organization_id', '=', organizationId)
    .where('seq', '>', position)
    .where('seq', '<=', end)
    .where('outcome', '=', 'done')
    .where(isTold)
    .orderBy('seq')
    .limit(ENTRIES_MAX)
    .execute();
  const more = entries.length === ENTRIES_MAX;
  const told = await withoutUnlimited(db, entries);
  const changes = told.map((entry) => [changeOf(entry), entry.id] as const);
  return { changes, position: more ? (entries.at(-1)?.seq ?? end) : end, more };
}

/** What can make a verdict untrue. A new auth method may limit from where its tokens are used. */
const isTold = sql<boolean>`(action in ('revoke', 'use-up')
  or (action = 'update' and kind not in ('webhook', 'environment', 'access-token'))
  or (action = 'create' and kind in ('jwt-auth', 'token-auth')))`;

/** Leaves out new auth methods whose tokens may be used from everywhere: they change nothing. */
async function withoutUnlimited(db: Kysely<Tables>, entries: Entry[]): Promise<Entry[]> {
  const isNewMethod = ({ action, kind }: Entry) => action === 'create' && authMethods.has(kind);
  const made = entries.filter(isNewMethod).flatMap(({ target_id }) => target_id ?? []);
  if (made.length === 0) return entries;
  const limited = new Set(await limitedAmong(db, made));
  return entries.filter((entry) => !isNewMethod(entry) || limited.has(entry.target_id ?? ''));
}

function changeOf({ seq, at_ms: at, action, kind, target_id: id }: Entry): Change {
  if (action === 'revoke' && kind === 'trusted-token') {
    return { seq, at, type: 'cut-off', id: null, kind };
  }
  const type = action === 'revoke' ? 'revoked' : action === 'use-up' ? 'used-up' : 'limited';
  return { seq, at, type, id, kind };
}
