import type { FastifyBaseLogger } from 'fastify';
import type { LedgerEntry, Target } from '../../db/tables.ts';
import type { Writes } from '../writes.ts';
import { type EnvironmentSender, sendToEnvironment } from './environment.ts';

/** What became of the first attempt to bring a ledger entry to a target. */
export interface Attempt {
  readonly target: string;
  readonly success: boolean;
  /** What went wrong, in words. */
  readonly error?: string;
}

/** Brings ledger entries to the targets that they owe a delivery. */
export interface Delivery {
  /** Tries to bring the entry to each of its targets at once, and records what came of each. Never throws for one. */
  attempt(entry: LedgerEntry, targets: readonly Target[]): Promise<Attempt[]>;
}

/** Sends to each kind of target; a new kind of target is one more line here. */
const senders: Record<
  string,
  (sender: EnvironmentSender, target: Target, seq: number) => Promise<string | undefined>
> = {
  environment: sendToEnvironment,
};

export function createDelivery(
  gateway: EnvironmentSender & { writes: Writes; log: FastifyBaseLogger },
): Delivery {
  async function attemptOne(target: Target, seq: number) {
    const notified_at_ms = gateway.now();
    const error = await send(target, seq).catch((fault: unknown) => {
      gateway.log.error({ err: fault, seq, target: target.id }, 'delivery failed');
      return 'Could not be sent: the log of the gateway says why';
    });
    const acknowledged_at_ms = error === undefined ? gateway.now() : null;
    return { target, notified_at_ms, acknowledged_at_ms, last_error: error ?? null };
  }

  async function send(target: Target, seq: number): Promise<string | undefined> {
    const sender = senders[target.kind];
    if (sender === undefined) throw new Error(`No sender for targets of kind ${target.kind}`);
    return await sender(gateway, target, seq);
  }

  return {
    async attempt(entry, targets) {
      const results = await Promise.all(targets.map((target) => attemptOne(target, entry.seq)));
      const recorded = gateway.writes.run(async (tx) => {
        for (const { target, ...result } of results) {
          await tx
            .updateTable('deliveries')
            .set((eb) => ({ ...result, attempts: eb('attempts', '+', 1) }))
            .where('seq', '=', entry.seq)
            .where('target_id', '=', target.id)
            .execute();
        }
      });
      // The revocation stands, and what was delivered was: an answer must say so.
      await recorded.catch((fault: unknown) => {
        gateway.log.error({ err: fault, seq: entry.seq }, 'deliveries not recorded');
      });
      return results.map(({ target, last_error }) =>
        last_error === null
          ? { target: target.name, success: true }
          : { target: target.name, success: false, error: last_error },
      );
    },
  };
}
