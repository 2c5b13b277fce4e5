import type { FastifyBaseLogger } from 'fastify';
import type { Kysely } from 'kysely';
import type { Tables, Target } from '../../db/tables.ts';
import type { Writes } from '../writes.ts';
import {
  aboutTargets,
  hasStuck,
  isOpen,
  nextAttemptAt,
  type Owing,
  owedTo,
  RETRY_MAX_MS,
  targetOf,
} from './open.ts';
import { recordLate, recordTargetEvent } from './target-events.ts';

/** Attempts at one delivery, beyond which it is stuck. */
export const ATTEMPTS_MAX = 24;
/** The longest that is waited before the second attempt; doubled before each further one. */
export const RETRY_FIRST_MS = 1_000;
/** A success after so long without one says that the target is back: nothing waits any longer. */
export const OUTAGE_MS = 60_000;

/** How many deliveries are read at once. */
const BATCH_MAX = 100;

/** Brings to one target what it is owed: one at a time, in order. */
export interface Lane {
  /** Says that something may be owed. */
  wake(): void;
  /** Resolves when nothing is being sent. */
  idle(): Promise<void>;
  stop(): void;
}

export interface LaneOptions {
  readonly reader: Kysely<Tables>;
  readonly writes: Writes;
  readonly now: () => number;
  readonly newId: () => string;
  readonly log: FastifyBaseLogger;
  /** Within how long the target should have acknowledged. */
  readonly effectBoundMs: number;
  /** Sends what is not among what was told before, and adds it; what went wrong, in words. */
  readonly send: (target: Target, seq: number, told: Set<string>) => Promise<string | undefined>;
  /** Told of each attempt, once it is recorded. */
  readonly attempted: (seq: number, error: string | undefined) => void;
  /** Told that nothing is sent for now, because of what went wrong with the oldest. */
  readonly blocked: (error: string) => void;
  /** Told that the ledger has grown. */
  readonly announce: (owed: readonly Target[]) => void;
}

/** Timers have a longest time too. */
const clamp = (ms: number) => Math.min(Math.max(ms, 1), RETRY_MAX_MS);

const fullDelayMs = (attempts: number) =>
  Math.min(RETRY_FIRST_MS * 2 ** (attempts - 1), RETRY_MAX_MS);

/** How long to wait after so many attempts: between half and all of a time that doubles. */
export function retryDelayMs(attempts: number, random = Math.random()): number {
  const full = fullDelayMs(attempts);
  return Math.round(full / 2 + (random * full) / 2);
}

export function createLane(options: LaneOptions, targetId: string): Lane {
  const { reader, writes, now, log } = options;
  let running: Promise<void> | undefined;
  let again = false;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  /** When the target last acknowledged something, as far as this process knows. */
  let acknowledgedAt = Number.NEGATIVE_INFINITY;
  /** What the target has, at the address where it was then, of deliveries that failed half way. */
  const told = new Map<string, Set<string>>();

  function wake(): void {
    again = true;
    if (running !== undefined || stopped) return;
    clearTimeout(timer);
    running = run()
      .catch((fault: unknown) => {
        log.error({ err: fault, target: targetId }, 'delivery failed');
        retryIn(RETRY_FIRST_MS);
      })
      .finally(() => {
        running = undefined;
        if (again) wake();
      });
  }

  function retryIn(ms: number): void {
    clearTimeout(timer);
    if (!stopped) timer = setTimeout(wake, ms).unref();
  }

  async function run(): Promise<void> {
    while (again && !stopped) {
      again = false;
      await sendAll();
    }
  }

  /** Sends until nothing is owed, or the oldest must wait. */
  async function sendAll(): Promise<void> {
    while (!stopped) {
      const batch = await owedTo(reader, targetId, now(), BATCH_MAX);
      const [oldest] = batch;
      if (oldest === undefined || mustWait(oldest)) {
        if (oldest !== undefined) options.blocked(oldest.last_error ?? '');
        const at = await nextAttemptAt(reader, targetId);
        return at === undefined ? undefined : retryIn(clamp(at - now()));
      }
      await sendInOrder(batch);
    }
  }

  /** A longer wait than there can be is a clock that went back: it is not waited for. */
  function mustWait({ next_attempt_at_ms, attempts }: Owing): boolean {
    const waitMs = (next_attempt_at_ms ?? 0) - now();
    return waitMs > 0 && waitMs <= fullDelayMs(attempts);
  }

  /** Sends one after the other, up to the first that fails; all that was done is recorded then. */
  async function sendInOrder(batch: readonly Owing[]): Promise<void> {
    const recorded: Promise<void>[] = [];
    for (const delivery of batch) {
      if (mustWait(delivery)) break;
      // Read anew: it may have moved, have another secret, or be owed this no more.
      const target = await targetOf(reader, delivery);
      if (target === undefined) {
        options.attempted(delivery.seq, 'Closed before it was sent');
        continue;
      }
      const notifiedAt = now();
      const place = `${delivery.seq} ${target.url}`;
      const had = told.get(place) ?? new Set();
      const error = await options.send(target, delivery.seq, had).catch((fault: unknown) => {
        log.error({ err: fault, seq: delivery.seq, target: targetId }, 'delivery failed');
        return 'Could not be sent: the log of the gateway says why';
      });
      if (error === undefined) told.delete(place);
      else if (had.size > 0) told.set(place, had);
      // What a stop has cut off was no attempt: it is made again after the start.
      if (stopped) break;
      const recording = record(target, delivery, notifiedAt, error);
      // It is looked at below; until then its failure must not count as unhandled.
      recording.catch(() => undefined);
      recorded.push(recording);
      if (error !== undefined) break;
    }
    await Promise.all(recorded);
  }

  async function record(
    target: Target,
    { seq, attempts: before, action, at_ms }: Owing,
    notified_at_ms: number,
    error: string | undefined,
  ): Promise<void> {
    const attempts = before + 1;
    const atMs = now();
    const good = error === undefined;
    const once = action === 'test';
    const stuck = !good && !once && attempts >= ATTEMPTS_MAX;
    const later = { next_attempt_at_ms: stuck ? null : atMs + retryDelayMs(attempts) };
    const closed = {
      closed_at_ms: atMs,
      closed_by: 'gateway',
      closed_reason: 'A test is sent once',
    };
    const result = good
      ? { acknowledged_at_ms: atMs, next_attempt_at_ms: null }
      : { last_error: error, ...(once ? closed : later), stuck_at_ms: stuck ? atMs : null };
    const { effectBoundMs, newId } = options;
    const owed = await writes.run(async (tx) => {
      // Told once, until somebody has resolved it: else two that fail would tell each other for ever.
      const tellStuck = stuck && !(await hasStuck(tx, targetId));
      const { numUpdatedRows } = await tx
        .updateTable('deliveries')
        .set({ ...result, attempts, notified_at_ms })
        .where('seq', '=', seq)
        .where('target_id', '=', targetId)
        .where('closed_at_ms', 'is', null)
        .executeTakeFirst();
      if (numUpdatedRows === 0n) return [];
      if (good && atMs - acknowledgedAt > OUTAGE_MS) await waitNoLonger(tx);
      if (good && !aboutTargets.includes(action) && atMs - at_ms > effectBoundMs) {
        return await recordLate(tx, target, at_ms, { atMs, newId, effectBoundMs });
      }
      const comment = `After ${attempts} attempts: ${error}`;
      return tellStuck
        ? await recordTargetEvent(tx, target, 'stuck', comment, { atMs, newId })
        : [];
    });
    if (good) acknowledgedAt = atMs;
    options.attempted(seq, error);
    if (owed.length > 0) options.announce(owed);
  }

  async function waitNoLonger(tx: Kysely<Tables>): Promise<void> {
    await tx
      .updateTable('deliveries')
      .set({ next_attempt_at_ms: null })
      .where('target_id', '=', targetId)
      .where(isOpen)
      .where('next_attempt_at_ms', 'is not', null)
      .execute();
    again = true;
  }

  return {
    wake,
    idle: async () => {
      await running;
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
