import type { FastifyBaseLogger } from 'fastify';
import type { Kysely } from 'kysely';
import type { Delivery, Tables, Target } from '../../db/tables.ts';
import { append } from '../ledger.ts';
import type { Writes } from '../writes.ts';
import { isOpen, isStuck, nextAttemptAt, owedTo, targetOf } from './open.ts';

/** Attempts at one delivery, beyond which it is stuck. */
export const ATTEMPTS_MAX = 24;
/** The longest that is waited before the second attempt; doubled before each further one. */
export const RETRY_FIRST_MS = 1_000;
export const RETRY_MAX_MS = 3_600_000;
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
  /** Sends; what went wrong, in words. */
  readonly send: (target: Target, seq: number) => Promise<string | undefined>;
  /** Told of each attempt, once it is recorded. */
  readonly attempted: (seq: number, error: string | undefined) => void;
  /** Told that nothing is sent for now, because of what went wrong with the oldest. */
  readonly blocked: (error: string) => void;
  /** Told that the ledger has grown. */
  readonly announce: (owed: readonly Target[]) => void;
}

/** How long to wait after so many attempts: between half and all of a time that doubles. */
export function retryDelayMs(attempts: number, random = Math.random()): number {
  const full = Math.min(RETRY_FIRST_MS * 2 ** (attempts - 1), RETRY_MAX_MS);
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
        return at === undefined ? undefined : retryIn(Math.max(at - now(), 1));
      }
      await sendInOrder(batch);
    }
  }

  const mustWait = ({ next_attempt_at_ms }: Delivery) => (next_attempt_at_ms ?? 0) > now();

  /** Sends one after the other, up to the first that fails; all that was done is recorded then. */
  async function sendInOrder(batch: readonly Delivery[]): Promise<void> {
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
      const error = await options.send(target, delivery.seq).catch((fault: unknown) => {
        log.error({ err: fault, seq: delivery.seq, target: targetId }, 'delivery failed');
        return 'Could not be sent: the log of the gateway says why';
      });
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
    { seq, attempts: before }: Delivery,
    notified_at_ms: number,
    error: string | undefined,
  ): Promise<void> {
    const attempts = before + 1;
    const at = now();
    const stuck = error !== undefined && attempts >= ATTEMPTS_MAX;
    let owed: readonly Target[] = [];
    const result =
      error === undefined
        ? { acknowledged_at_ms: at, next_attempt_at_ms: null }
        : {
            last_error: error,
            next_attempt_at_ms: stuck ? null : at + retryDelayMs(attempts),
            stuck_at_ms: stuck ? at : null,
          };
    await writes.run(async (tx) => {
      const known = stuck && (await hasStuck(tx));
      const { numUpdatedRows } = await tx
        .updateTable('deliveries')
        .set({ ...result, attempts, notified_at_ms })
        .where('seq', '=', seq)
        .where('target_id', '=', targetId)
        .where('closed_at_ms', 'is', null)
        .executeTakeFirst();
      if (error === undefined && at - acknowledgedAt > OUTAGE_MS) await waitNoLonger(tx);
      // Told once, until somebody has resolved it: else two that fail would tell each other for ever.
      if (!stuck || known || numUpdatedRows === 0n) return;
      const event = targetEvent(target, 'stuck', `After ${attempts} attempts: ${error}`);
      ({ owed } = await append(tx, { ...event, id: options.newId(), at_ms: at }));
    });
    if (error === undefined) acknowledgedAt = at;
    options.attempted(seq, error);
    if (stuck) options.announce(owed);
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

  async function hasStuck(tx: Kysely<Tables>): Promise<boolean> {
    const one = tx.selectFrom('deliveries').select('seq').where('target_id', '=', targetId);
    return (await one.where(isStuck).limit(1).executeTakeFirst()) !== undefined;
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

/** What the gateway itself records of a target. */
export const targetEvent = (target: Target, action: 'stuck' | 'late', comment: string) => ({
  organization_id: target.organization_id,
  action,
  kind: target.kind,
  target_id: target.id,
  target: target.name,
  outcome: 'done',
  refusal: null,
  reason: null,
  comment,
  actor: 'gateway',
  actor_id: null,
  surface: 'gateway',
  request_id: '',
});
