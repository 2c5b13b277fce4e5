import { setImmediate } from 'node:timers/promises';
import { type Kysely, sql } from 'kysely';
import type { Tables } from '../../db/tables.ts';
import { limitedMethods } from './limited.ts';

/** A part of all that somebody must know who has known nothing before. */
export interface Snapshot {
  /** From where on changes follow. */
  readonly position: number;
  /** Rows that are revoked and on which JWTs may stand that the gateway signed. */
  readonly revoked: readonly string[];
  /** Auth methods whose tokens may not be used from everywhere. */
  readonly limited: readonly string[];
  /** Whether another part follows. */
  readonly more: boolean;
}

/** For how long revoked tokens are told beyond their expiry, for those whose clocks are behind. */
export const EXPIRED_TOLD_MS = 600_000;

/** Ids in one part of a snapshot. */
export const SNAPSHOT_IDS_MAX = 1_000;

/**
 * What is revoked or limited in the organization, in parts. What happens behind the position may or may
 * not be in it already; the changes tell it in any case.
 */
export async function* snapshotOf(
  db: Kysely<Tables>,
  organizationId: string,
  position: number,
  nowMs: number,
): AsyncGenerator<Snapshot> {
  let revoked: string[] = [];
  let limited: string[] = [];
  for await (const ids of revokedRows(db, organizationId, nowMs)) {
    if (revoked.length > 0) yield { position, revoked, limited, more: true };
    revoked = ids;
  }
  for await (const ids of limitedMethods(db, organizationId)) {
    for (const id of ids) {
      if (revoked.length + limited.length === SNAPSHOT_IDS_MAX) {
        yield { position, revoked, limited, more: true };
        [revoked, limited] = [[], []];
      }
      limited.push(id);
    }
  }
  yield { position, revoked, limited, more: false };
}

/** Literals, so that their index serves it: the kinds of access tokens, and of what is above them. */
const isRevokedForJwts = sql<boolean>`revoked_at_ms is not null and kind in
  ('organization', 'identity', 'jwt-auth', 'token-auth', 'oauth-client', 'service-account', 'access-token')`;

/** Those that are not long past their expiry, for then they are refused without this. */
async function* revokedRows(
  db: Kysely<Tables>,
  organizationId: string,
  nowMs: number,
): AsyncGenerator<string[]> {
  for (let after: string | undefined = ''; after !== undefined; ) {
    const rows: { id: string; expires_at_ms: number | null }[] = await db
      .selectFrom('revocables')
      .select(['id', 'expires_at_ms'])
      .where('organization_id', '=', organizationId)
      .where(isRevokedForJwts)
      .where('id', '>', after)
      .orderBy('id')
      .limit(SNAPSHOT_IDS_MAX)
      .execute();
    after = rows.at(-1)?.id;
    if (after === undefined) return;
    // SQLite answers without giving anybody else a turn.
    await setImmediate();
    yield rows
      .filter(
        ({ expires_at_ms }) => expires_at_ms === null || expires_at_ms + EXPIRED_TOLD_MS > nowMs,
      )
      .map(({ id }) => id);
  }
}
