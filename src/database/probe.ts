import { randomUUID } from 'node:crypto';
import { kept } from '../kept.ts';
import type { Writes } from '../writes.ts';

/** For how long it counts that the database has taken something. */
export const PROBE_KEPT_MS = 1_000;

/**
 * Makes what proves that the database takes what is written: a commit that reaches the disk, of a row
 * that is added and removed. A transaction that changes nothing would pass on a full disk, and on a
 * server that only reads. However often it is asked for, it writes once a second while all is well.
 */
export const createProbe = (writes: Writes): (() => Promise<void>) =>
  kept(PROBE_KEPT_MS, () => probe(writes));

// A part, which does not wait behind all else.
const probe = (writes: Writes): Promise<void> =>
  writes.runPart(async (tx) => {
    const kid = `probe-${randomUUID()}`;
    const none = { public_jwk: '', private_jwe: '', created_at_ms: 0, retired_at_ms: 0 };
    await tx
      .insertInto('signing_keys')
      .values({ kid, ...none })
      .execute();
    await tx.deleteFrom('signing_keys').where('kid', '=', kid).execute();
  });
