import type { FastifyBaseLogger } from 'fastify';
import type { LedgerEntry, Target } from '../../db/tables.ts';
import type { Writes } from '../writes.ts';
import { watchBound } from './bound.ts';
import { type EnvironmentSender, sendToEnvironment } from './environment.ts';
import { createLane, type Lane } from './lane.ts';
import { allOwed } from './open.ts';
import { sendToWebhook } from './webhook.ts';

/** What became of the first attempt to bring a ledger entry to a target. */
export interface Attempt {
  readonly target: string;
  readonly success: boolean;
  /** What went wrong, in words. */
  readonly error?: string;
}

/** Brings ledger entries to the targets that they owe a delivery, until each has arrived or is stuck. */
export interface Delivery {
  /** Says that these targets are owed something that is committed. */
  wake(targets: readonly Target[]): void;
  /** Waits for the first attempt at each target, for a while. Never throws for one. */
  firstAttempts(entry: LedgerEntry, targets: readonly Target[]): Promise<Attempt[]>;
  /** Takes up what earlier runs left, and what other processes add. */
  start(): void;
  /** Lets what is being sent be, and resolves when all that was done is recorded. */
  stop(): Promise<void>;
}

/** Sends to each kind of target; enforcement points ask by themselves. */
const senders: Record<
  string,
  (
    sender: EnvironmentSender,
    target: Target,
    seq: number,
    told: Set<string>,
  ) => Promise<string | undefined>
> = {
  environment: sendToEnvironment,
  webhook: sendToWebhook,
};

/** How long an answer waits for first attempts; they go on behind it. */
export const FIRST_ATTEMPTS_WAIT_MS = 6_000;

/** How often it is looked whether other processes have left something to deliver. */
export const SCAN_MS = 1_000;

export interface DeliveryOptions extends Omit<EnvironmentSender, 'stopping'> {
  readonly writes: Writes;
  readonly log: FastifyBaseLogger;
  readonly newId: () => string;
  /** Within how long every target should have acknowledged. */
  readonly effectBoundMs: number;
  readonly announce: (owed: readonly Target[]) => void;
}

export function createDelivery(gateway: DeliveryOptions): Delivery {
  const lanes = new Map<string, Lane>();
  const waiters = new Map<string, Map<number, (error: string | undefined) => void>>();
  const stop = new AbortController();
  const sender: EnvironmentSender = { ...gateway, stopping: stop.signal };
  const checkBound = watchBound(gateway);
  let scanning: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;

  const send = async (target: Target, seq: number, told: Set<string>) => {
    const sendTo = senders[target.kind];
    if (sendTo === undefined) throw new Error(`No sender for targets of kind ${target.kind}`);
    return await sendTo(sender, target, seq, told);
  };

  function laneOf(id: string): Lane {
    const present = lanes.get(id);
    if (present !== undefined) return present;
    const lane = createLane(
      {
        ...gateway,
        send,
        attempted: (seq, error) => waiters.get(id)?.get(seq)?.(error),
        blocked(error) {
          for (const resolve of waiters.get(id)?.values() ?? []) {
            resolve(`Waits behind an earlier message: ${error}`);
          }
        },
      },
      id,
    );
    lanes.set(id, lane);
    return lane;
  }

  function wake(targets: readonly Pick<Target, 'id' | 'kind'>[]): void {
    if (stop.signal.aborted) return;
    for (const { id, kind } of targets) if (kind in senders) laneOf(id).wake();
  }

  async function firstAttempt(seq: number, { id, name }: Target): Promise<Attempt> {
    const error = await new Promise<string | undefined>((resolve) => {
      const waiting = waiters.get(id) ?? new Map();
      waiters.set(id, waiting);
      const done = (failed: string | undefined) => {
        clearTimeout(limit);
        waiting.delete(seq);
        if (waiting.size === 0) waiters.delete(id);
        resolve(failed);
      };
      const limit = setTimeout(
        () => done(`No answer within ${FIRST_ATTEMPTS_WAIT_MS} ms: it is tried again`),
        FIRST_ATTEMPTS_WAIT_MS,
      );
      waiting.set(seq, done);
      laneOf(id).wake();
    });
    return error === undefined
      ? { target: name, success: true }
      : { target: name, success: false, error };
  }

  async function scan(): Promise<void> {
    const owed = await allOwed(gateway.reader);
    wake(owed.map(({ target }) => target));
    await checkBound(owed);
  }

  function scanLater(ms: number): void {
    timer = setTimeout(() => {
      scanning = scan()
        .catch((fault: unknown) => gateway.log.error({ err: fault }, 'deliveries not looked for'))
        .then(() => {
          if (!stop.signal.aborted) scanLater(SCAN_MS);
        });
    }, ms).unref();
  }

  return {
    wake,
    firstAttempts: (entry, targets) =>
      Promise.all(targets.map((target) => firstAttempt(entry.seq, target))),
    start: () => scanLater(0),
    async stop() {
      clearTimeout(timer);
      for (const lane of lanes.values()) lane.stop();
      stop.abort();
      await scanning;
      await Promise.all([...lanes.values()].map((lane) => lane.idle()));
    },
  };
}
