import type { Kysely } from 'kysely';
import type { Tables, Target } from '../../db/tables.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { Writes } from '../writes.ts';
import type { Claims } from './claims.ts';
import {
  aboutTargets,
  hasStuck,
  isOpen,
  nextAttemptAt,
  type Owing,
  wasAcknowledgedSince,
} from './open.ts';
import { ATTEMPTS_MAX, retryDelayMs, somethingDue } from './retry.ts';
import { recordLate, recordTargetEvent } from './target-events.ts';

/** A success after so long without one says that the target is back: nothing waits any longer. */
export const OUTAGE_MS = 60_000;

export interface RecordOptions {
  readonly writes: Writes;
  readonly claims: Claims;
  readonly now: () => number;
  readonly newId: () => string;
  /** Within how long the target should have acknowledged. */
  readonly effectBoundMs: number;
  /** Told that the ledger has grown. */
  readonly announce: (owed: readonly Target[]) => void;
  readonly metrics?: Metrics | undefined;
}

/** An attempt that was made. */
export interface Made {
  readonly target: Target;
  readonly delivery: Pick<Owing, 'seq' | 'attempts' | 'action' | 'at_ms'>;
  readonly notifiedAtMs: number;
  /** What went wrong, in words. */
  readonly error: string | undefined;
  /** Whether nothing more is sent, unless something is due when it is recorded. */
  readonly last: boolean;
}

/**
 * Records what came of attempts at one target. That something was acknowledged counts whoever records it;
 * that it was not, only while this gateway has the claim: else another has tried it meanwhile.
 */
export function createRecord(options: RecordOptions, targetId: string) {
  const { writes, claims, now, newId, effectBoundMs, metrics } = options;
  /** When the target last acknowledged something, as far as this process knows. */
  let acknowledgedAt = Number.NEGATIVE_INFINITY;

  return async (made: Made): Promise<void> => {
    const atMs = now();
    const owed = await writes.run(async (tx) => {
      const events = await (made.error === undefined
        ? recordSuccess(tx, made, atMs)
        : recordFailure(tx, made, made.error, atMs));
      // In the same transaction, so that what is owed from then on finds it free.
      if (made.last && !(await somethingDue(tx, targetId, atMs))) {
        await claims.release(tx, targetId);
      }
      return events;
    });
    const { error, target, delivery } = made;
    metrics?.attempted(target.kind, error === undefined);
    if (error === undefined) acknowledgedAt = atMs;
    if (owed === undefined) return;
    if (error === undefined && delivery.action === 'revoke') {
      metrics?.tookEffect(target.kind, atMs - delivery.at_ms);
    }
    if (owed.length > 0) options.announce(owed);
  };

  /** Undefined where it was recorded before. */

  async function recordSuccess(
    tx: Kysely<Tables>,
    { target, delivery: { seq, action, at_ms }, notifiedAtMs }: Made,
    atMs: number,
  ): Promise<readonly Target[] | undefined> {
    const { numUpdatedRows } = await tx
      .updateTable('deliveries')
      .set((eb) => ({
        acknowledged_at_ms: atMs,
        attempts: eb('attempts', '+', 1),
        next_attempt_at_ms: null,
        notified_at_ms: notifiedAtMs,
      }))
      .where('seq', '=', seq)
      .where('target_id', '=', targetId)
      .where('acknowledged_at_ms', 'is', null)
      .where('closed_at_ms', 'is', null)
      .executeTakeFirst();
    if (numUpdatedRows === 0n) return undefined;
    if (await isBack(tx, seq, atMs)) await waitNoLonger(tx, targetId);
    return !aboutTargets.includes(action) && atMs - at_ms > effectBoundMs
      ? await recordLate(tx, target, at_ms, { atMs, newId, effectBoundMs })
      : [];
  }

  async function recordFailure(
    tx: Kysely<Tables>,
    { target, delivery: { seq, attempts: before, action }, notifiedAtMs }: Made,
    error: string,
    atMs: number,
  ): Promise<readonly Target[]> {
    if (!(await claims.isMine(tx, targetId))) return [];
    const attempts = before + 1;
    const once = action === 'test';
    const stuck = !once && attempts >= ATTEMPTS_MAX;
    const later = { next_attempt_at_ms: stuck ? null : atMs + retryDelayMs(attempts) };
    const closed = {
      closed_at_ms: atMs,
      closed_by: 'gateway',
      closed_reason: 'A test is sent once',
    };
    // Told once, until somebody has resolved it: else two that fail would tell each other for ever.
    const tellStuck = stuck && !(await hasStuck(tx, targetId));
    const { numUpdatedRows } = await tx
      .updateTable('deliveries')
      .set({ last_error: error, ...(once ? closed : later), stuck_at_ms: stuck ? atMs : null })
      .set({ attempts, notified_at_ms: notifiedAtMs })
      .where('seq', '=', seq)
      .where('target_id', '=', targetId)
      .where('attempts', '=', before)
      .where(isOpen)
      .executeTakeFirst();
    if (numUpdatedRows === 0n || !tellStuck) return [];
    const comment = `After ${attempts} attempts: ${error}`;
    return await recordTargetEvent(tx, target, 'stuck', comment, { atMs, newId });
  }

  /** Whether the target has come back with this: it is asked only where something waits for that. */
  async function isBack(tx: Kysely<Tables>, seq: number, atMs: number): Promise<boolean> {
    if (atMs - acknowledgedAt <= OUTAGE_MS) return false;
    if ((await nextAttemptAt(tx, targetId)) === undefined) return false;
    return !(await wasAcknowledgedSince(tx, targetId, seq, atMs - OUTAGE_MS));
  }
}

async function waitNoLonger(tx: Kysely<Tables>, targetId: string): Promise<void> {
  await tx
    .updateTable('deliveries')
    .set({ next_attempt_at_ms: null })
    .where('target_id', '=', targetId)
    .where(isOpen)
    .where('next_attempt_at_ms', 'is not', null)
    .execute();
}
