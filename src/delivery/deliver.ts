import type { FastifyBaseLogger } from 'fastify';
import type { Kysely } from 'kysely';
import type { LedgerEntry, Tables, Target } from '../../db/tables.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { Writes } from '../writes.ts';
import { watchBound } from './bound.ts';
import { createClaims } from './claims.ts';
import { createCloseRemoved } from './close-removed.ts';
import { type EnvironmentSender, sendToEnvironment } from './environment.ts';
import { type Attempt, createFirstAttempts } from './first-attempts.ts';
import { createLane, type Lane } from './lane.ts';
import { allOwed } from './open.ts';
import { sendToWebhook } from './webhook.ts';

/** Brings ledger entries to the targets that they owe a delivery, until each has arrived or is stuck. */
export interface Delivery {
  /**
   * Claims targets for this gateway, in the transaction that owes them something: once that is committed
   * it tells them at once, and no other gateway does.
   */
  claim(tx: Kysely<Tables>, owed: readonly Target[]): Promise<void>;
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

/** How often it is looked whether other processes have left something to deliver. */
export const SCAN_MS = 1_000;

export interface DeliveryOptions extends Omit<EnvironmentSender, 'stopping'> {
  readonly writes: Writes;
  readonly log: FastifyBaseLogger;
  readonly newId: () => string;
  /** Within how long every target should have acknowledged. */
  readonly effectBoundMs: number;
  readonly announce: (owed: readonly Target[]) => void;
  readonly metrics?: Metrics | undefined;
}

export function createDelivery(gateway: DeliveryOptions): Delivery {
  const lanes = new Map<string, Lane>();
  const stop = new AbortController();
  const sender: EnvironmentSender = { ...gateway, stopping: stop.signal };
  const claims = createClaims(gateway);
  const checkBound = watchBound(gateway);
  const closing = createCloseRemoved({ ...gateway, claims, stopping: stop.signal });
  const firstAttempts = createFirstAttempts(gateway.reader, (id) => laneOf(id).wake());
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
    const attempted = (seq: number) => firstAttempts.attempted(id, seq);
    const blocked = (error: string) => firstAttempts.blocked(id, error);
    const lane = createLane({ ...gateway, claims, send, attempted, blocked }, id);
    lanes.set(id, lane);
    return lane;
  }

  function wake(targets: readonly Target[]): void {
    if (stop.signal.aborted) return;
    for (const target of targets) {
      if (!(target.kind in senders)) continue;
      // Who has it sees to all that is owed to it.
      const othersUntil = claims.othersUntil(target);
      if (othersUntil === undefined) laneOf(target.id).wake();
      else laneOf(target.id).wakeAt(othersUntil);
    }
  }

  async function scan(): Promise<void> {
    closing.wake();
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
    async claim(tx, owed) {
      if (stop.signal.aborted) return;
      const told = owed.filter(({ kind }) => kind in senders);
      if (told.length > 0) await claims.join(tx, told);
    },
    wake,
    firstAttempts: ({ seq }, targets) =>
      Promise.all(targets.map((target) => firstAttempts.wait(seq, target))),
    start: () => scanLater(0),
    async stop() {
      clearTimeout(timer);
      for (const lane of lanes.values()) lane.stop();
      stop.abort();
      await scanning;
      await closing.idle();
      await Promise.all([...lanes.values()].map((lane) => lane.idle()));
      claims.stop();
    },
  };
}
