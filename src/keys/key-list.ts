import { type Kysely, sql } from 'kysely';
import type { Tables } from '../../db/tables.ts';
import { type SigningKeyRow, signingAmong } from './signing-keys.ts';

/** What a key is for by now. */
export type KeyState = 'signing' | 'published' | 'verifying' | 'retired';

/** A signing key, as people are shown it. */
export interface ListedKey {
  readonly kid: string;
  readonly state: KeyState;
  readonly createdAtMs: number;
  readonly signsFromMs: number;
  readonly retiredAtMs: number | null;
  /** When the last token expires that it may have signed, of those that are good; undefined: there is none. */
  readonly tokensUntilMs: number | undefined;
}

/** Every signing key that there was, the newest first. */
export async function listKeys(db: Kysely<Tables>, nowMs: number): Promise<ListedKey[]> {
  const rows = await allKeys(db);
  const live = rows.filter(({ retired_at_ms }) => retired_at_ms === null);
  const signing = signingAmong(live, nowMs)?.kid;
  const listed: ListedKey[] = [];
  for (const row of rows) {
    const { kid, created_at_ms, signs_from_ms, retired_at_ms } = row;
    listed.push({
      kid,
      state: stateOf(row, signing, nowMs),
      createdAtMs: created_at_ms,
      signsFromMs: Math.max(signs_from_ms, created_at_ms),
      retiredAtMs: retired_at_ms,
      tokensUntilMs: await lastExpiry(db, rows, row, nowMs),
    });
  }
  return listed;
}

function stateOf(row: SigningKeyRow, signing: string | undefined, nowMs: number): KeyState {
  if (row.retired_at_ms !== null) return 'retired';
  if (row.kid === signing) return 'signing';
  return row.signs_from_ms > nowMs ? 'published' : 'verifying';
}

/** When the last token expires that a key may have signed, of those that are good. */
export async function tokensUntil(
  db: Kysely<Tables>,
  kid: string,
  nowMs: number,
): Promise<number | undefined> {
  const rows = await allKeys(db);
  const row = rows.find((each) => each.kid === kid);
  return row && (await lastExpiry(db, rows, row, nowMs));
}

const allKeys = (db: Kysely<Tables>): Promise<SigningKeyRow[]> =>
  db.selectFrom('signing_keys').selectAll().orderBy('created_at_ms', 'desc').execute();

/** Gateways may sign with a key for so long before or after its time: clocks, and the age of what they know. */
const SIGNING_TOLERANCE_MS = 5_000;

/** Rows that are read at once. */
const TOKENS_MAX = 1_000;

async function lastExpiry(
  db: Kysely<Tables>,
  rows: readonly SigningKeyRow[],
  { kid, signs_from_ms, created_at_ms, retired_at_ms }: SigningKeyRow,
  nowMs: number,
): Promise<number | undefined> {
  const fromMs = Math.max(signs_from_ms, created_at_ms) - SIGNING_TOLERANCE_MS;
  // Until the next began to sign; one that was retired before that never did.
  const next = rows
    .filter((row) => row.kid !== kid && row.signs_from_ms > signs_from_ms)
    .filter((row) => row.retired_at_ms === null || row.retired_at_ms > row.signs_from_ms)
    .map((row) => row.signs_from_ms);
  const ends = [...next, retired_at_ms ?? Number.POSITIVE_INFINITY];
  const toMs = Math.min(...ends) + SIGNING_TOLERANCE_MS;
  const organizations = await db
    .selectFrom('revocables')
    .select('id')
    .where('parent_id', 'is', null)
    .where('revoked_at_ms', 'is', null)
    .execute();
  let latest: number | undefined;
  for (const { id } of organizations) {
    latest = (await lastOf(db, id, { fromMs, toMs, afterMs: latest ?? nowMs })) ?? latest;
  }
  return latest;
}

interface Wanted {
  readonly fromMs: number;
  readonly toMs: number;
  /** Only what expires later. */
  readonly afterMs: number;
}

/** Looks at what expires, from the last on, in the order of an index, until one is a token of the time. */
async function lastOf(
  db: Kysely<Tables>,
  organizationId: string,
  { fromMs, toMs, afterMs }: Wanted,
): Promise<number | undefined> {
  for (let [expiresAtMs, id] = [Number.MAX_SAFE_INTEGER, '']; ; ) {
    const page = await db
      .selectFrom('revocables')
      .select(['id', 'kind', 'issued_at_ms', 'expires_at_ms', 'revoked_at_ms'])
      .where('organization_id', '=', organizationId)
      .where('expires_at_ms', '>', afterMs)
      .where(sql<boolean>`(expires_at_ms, id) < (${expiresAtMs}, ${id})`)
      .orderBy('expires_at_ms', 'desc')
      .orderBy('id', 'desc')
      .limit(TOKENS_MAX)
      .execute();
    const found = page.find(
      ({ kind, issued_at_ms, revoked_at_ms }) =>
        kind === 'access-token' &&
        revoked_at_ms === null &&
        issued_at_ms >= fromMs &&
        issued_at_ms <= toMs,
    );
    if (found !== undefined) return found.expires_at_ms ?? undefined;
    const last = page.at(-1);
    if (last === undefined || page.length < TOKENS_MAX) return undefined;
    [expiresAtMs, id] = [last.expires_at_ms ?? 0, last.id];
  }
}
