import type { FastifyBaseLogger } from 'fastify';
import type { Kysely } from 'kysely';
import type { Tables, Target } from '../../db/tables.ts';
import { destinationOf, nextAttemptAt, type Owing, owedTo, RETRY_MAX_MS } from './open.ts';
import { createRecord, type RecordOptions } from './record.ts';
import { mustWait, RETRY_FIRST_MS, somethingDue } from './retry.ts';

/** How many deliveries are read at once. */
const BATCH_MAX = 100;

/** Brings to one target what it is owed: one at a time, in order, and no other gateway meanwhile. */
export interface Lane {
  /** Says that something may be owed. */
  wake(): void;
  /** Has it looked then whether another gateway has let go of the target. */
  wakeAt(atMs: number): void;
  /** Resolves when nothing is being sent. */
  idle(): Promise<void>;
  stop(): void;
}

export interface LaneOptions extends RecordOptions {
  readonly reader: Kysely<Tables>;
  readonly log: FastifyBaseLogger;
  /** Sends what is not among what was told before, and adds it; what went wrong, in words. */
  readonly send: (target: Target, seq: number, told: Set<string>) => Promise<string | undefined>;
  /** Told that the row of a delivery may say what came of it. */
  readonly attempted: (seq: number) => void;
  /** Told that nothing is sent for now, because of what went wrong with the oldest. */
  readonly blocked: (error: string) => void;
}

/** Timers have a longest time too. */
const clamp = (ms: number) => Math.min(Math.max(ms, 1), RETRY_MAX_MS);

export function createLane(options: LaneOptions, targetId: string): Lane {
  const { reader, writes, claims, now, log } = options;
  const record = createRecord(options, targetId);
  let running: Promise<void> | undefined;
  let again = false;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  /** What the target has, at the address where it was then, of deliveries that failed half way. */
  const told = new Map<string, Set<string>>();

  function wake(): void {
    again = true;
    if (running !== undefined || stopped) return;
    clearTimeout(timer);
    running = run()
      .catch((fault: unknown) => {
        claims.forget(targetId);
        log.error({ err: fault, target: targetId }, 'delivery failed');
        wakeIn(RETRY_FIRST_MS);
      })
      .finally(() => {
        running = undefined;
        if (again) wake();
      });
  }

  function wakeIn(ms: number): void {
    clearTimeout(timer);
    if (!stopped) timer = setTimeout(wake, clamp(ms)).unref();
  }

  async function run(): Promise<void> {
    while (again && !stopped) {
      again = false;
      await sendAll();
    }
    if (claims.has(targetId)) await writes.run((tx) => claims.release(tx, targetId));
  }

  /** Sends until nothing is owed, the oldest must wait, or another gateway has the target. */
  async function sendAll(): Promise<void> {
    while (!stopped) {
      const batch = await owedTo(reader, targetId, now(), BATCH_MAX);
      const [oldest] = batch;
      if (oldest === undefined || mustWait(oldest, now())) {
        if (!(await letGo())) continue;
        if (oldest !== undefined) options.blocked(oldest.last_error ?? '');
        const at = await nextAttemptAt(reader, targetId);
        return at === undefined ? undefined : wakeIn(at - now());
      }
      const othersUntil = await sendInOrder(batch);
      if (othersUntil !== undefined) return wakeIn(othersUntil - now());
    }
  }

  /** Lets other gateways have the target, unless there is something to send by then. */
  async function letGo(): Promise<boolean> {
    if (!claims.has(targetId)) return true;
    return await writes.run(async (tx) => {
      if (await somethingDue(tx, targetId, now())) return false;
      await claims.release(tx, targetId);
      return true;
    });
  }

  /**
   * Sends one after the other, up to the first that fails; all that was done is recorded then.
   *
   * @returns until when the target is another gateway's, where it is
   */
  async function sendInOrder(batch: readonly Owing[]): Promise<number | undefined> {
    const recorded: Promise<void>[] = [];
    let othersUntil: number | undefined;
    for (const [i, { seq, target_id, action, at_ms }] of batch.entries()) {
      // Read anew: it may have moved, have another secret, be owed this no more, or be another's.
      const found = await destinationOf(reader, { seq, target_id });
      if (found === undefined) {
        options.attempted(seq);
        continue;
      }
      const { attempts, next_attempt_at_ms, ...target } = found;
      othersUntil = claims.othersUntil(target);
      if (othersUntil !== undefined) claims.forget(targetId);
      if (othersUntil !== undefined || mustWait(found, now())) break;
      if (!claims.holds(target)) {
        // Until it is had, others may send: what is owed is read once more.
        await claims.take(targetId);
        break;
      }
      const notifiedAtMs = now();
      const error = await send(target, seq);
      // What a stop has cut off was no attempt: it is made again after the start.
      if (stopped && error !== undefined) break;
      const delivery = { seq, attempts, action, at_ms };
      const last = error !== undefined || i === batch.length - 1;
      const recording = record({ target, delivery, notifiedAtMs, error, last }).then(() =>
        options.attempted(seq),
      );
      // It is looked at below; until then its failure must not count as unhandled.
      recording.catch(() => undefined);
      recorded.push(recording);
      if (error !== undefined) break;
    }
    await Promise.all(recorded);
    return othersUntil;
  }

  async function send(target: Target, seq: number): Promise<string | undefined> {
    const place = `${seq} ${target.url}`;
    const had = told.get(place) ?? new Set();
    const error = await options.send(target, seq, had).catch((fault: unknown) => {
      log.error({ err: fault, seq, target: targetId }, 'delivery failed');
      return 'Could not be sent: the log of the gateway says why';
    });
    if (error === undefined) told.delete(place);
    else if (had.size > 0) told.set(place, had);
    return error;
  }

  return {
    wake,
    wakeAt(atMs) {
      if (running === undefined) wakeIn(atMs - now());
    },
    idle: async () => {
      await running;
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
