import { randomUUID } from 'node:crypto';
import type { FastifyBaseLogger } from 'fastify';
import { type ExpressionBuilder, type Kysely, sql } from 'kysely';
import type { Tables, Target } from '../../db/tables.ts';
import type { Writes } from '../writes.ts';
import { isOpen } from './open.ts';

/** How long a claim counts that is not renewed: then what a gateway was at that died is another's. */
export const LEASE_MS = 3_000;
/** How often a gateway renews its claims while it sends. */
export const RENEW_MS = 1_000;
/** A claim that ends later than this from now is not one: a clock that went back made this of it. */
const CLAIM_MAX_MS = 6_000;
/** Claims that are taken in one statement, engines having limits; what is beyond is taken when it is sent. */
const CLAIMS_MAX = 1_000;

/**
 * Who tells a target: of all gateways on a database the one whose claim its row has, so that nothing is
 * sent twice and everything in order. Rows decide; what is remembered is only what has to be renewed.
 */
export interface Claims {
  /** Claims those that are free, in the transaction that owes them something: that costs no other. */
  join(tx: Kysely<Tables>, owed: readonly Target[]): Promise<void>;
  /** Claims a target, or for longer; whether it could be had. */
  take(targetId: string): Promise<boolean>;
  /** Whether a row, as it was just read, says that this gateway may send for a while. */
  holds(target: Target): boolean;
  /** Until when it is another's, as a row says; undefined where it is nobody's or this gateway's. */
  othersUntil(target: Target): number | undefined;
  /** Whether nobody has taken it from this gateway meanwhile. */
  isMine(tx: Kysely<Tables>, targetId: string): Promise<boolean>;
  /** Whether it may have to be released. */
  has(targetId: string): boolean;
  release(tx: Kysely<Tables>, targetId: string): Promise<void>;
  /** Renews a claim no longer, wherever it came from: it ends by itself. */
  forget(targetId: string): void;
  stop(): void;
}

interface Options {
  readonly writes: Writes;
  readonly now: () => number;
  readonly log: FastifyBaseLogger;
}

export function createClaims({ writes, now, log }: Options): Claims {
  const me = randomUUID();
  const held = new Set<string>();
  let timer: NodeJS.Timeout | undefined;

  const claim = () => ({ claimed_by: me, claimed_until_ms: now() + LEASE_MS });

  const isFree = (eb: ExpressionBuilder<Tables, 'targets'>) =>
    eb.or([
      eb('claimed_by', 'is', null),
      eb('claimed_by', '=', me),
      eb('claimed_until_ms', '<=', now()),
      eb('claimed_until_ms', '>', now() + CLAIM_MAX_MS),
    ]);

  function othersUntil({ claimed_by, claimed_until_ms }: Target): number | undefined {
    if (claimed_by === null || claimed_by === me || claimed_until_ms === null) return undefined;
    const forMs = claimed_until_ms - now();
    return forMs > 0 && forMs <= CLAIM_MAX_MS ? claimed_until_ms : undefined;
  }

  /** Whether there is time to send something: what is nearly over is renewed before. */
  const isLong = ({ claimed_by, claimed_until_ms }: Target) =>
    claimed_by === me && (claimed_until_ms ?? 0) - now() >= LEASE_MS / 2;

  function hold(targetId: string): void {
    held.add(targetId);
    timer ??= setInterval(renew, RENEW_MS).unref();
  }

  function renew(): void {
    if (held.size === 0) {
      stop();
      return;
    }
    writes
      .run(async (tx) => {
        if (held.size === 0) return;
        const mine = tx.updateTable('targets').set(claim()).where('claimed_by', '=', me);
        await mine.where('id', 'in', [...held]).execute();
      })
      .catch((fault: unknown) => log.warn({ err: fault }, 'claims not renewed'));
  }

  function stop(): void {
    clearInterval(timer);
    timer = undefined;
  }

  return {
    async join(tx, owed) {
      const free = owed.filter((each) => othersUntil(each) === undefined && !isLong(each));
      if (free.length === 0) return;
      await tx
        .updateTable('targets')
        .set(claim())
        .where(
          'id',
          'in',
          free.slice(0, CLAIMS_MAX).map(({ id }) => id),
        )
        .where(isFree)
        .where(oldestWaits, 'is', null)
        .execute();
    },
    async take(targetId) {
      const { numUpdatedRows } = await writes.run((tx) =>
        tx
          .updateTable('targets')
          .set(claim())
          .where('id', '=', targetId)
          .where(isFree)
          .executeTakeFirst(),
      );
      if (numUpdatedRows > 0n) hold(targetId);
      return numUpdatedRows > 0n;
    },
    holds(target) {
      if (!isLong(target)) return false;
      hold(target.id);
      return true;
    },
    othersUntil,
    async isMine(tx, targetId) {
      const row = tx.selectFrom('targets').select('claimed_by').where('id', '=', targetId);
      return (await row.executeTakeFirst())?.claimed_by === me;
    },
    has: (targetId) => held.has(targetId),
    async release(tx, targetId) {
      held.delete(targetId);
      await tx
        .updateTable('targets')
        .set({ claimed_by: null, claimed_until_ms: null })
        .where('id', '=', targetId)
        .where('claimed_by', '=', me)
        .execute();
    },
    forget: (targetId) => void held.delete(targetId),
    stop,
  };
}

/** Until when the oldest thing that a target is owed waits: there is nothing to send before. */
const oldestWaits = sql<number | null>`(select next_attempt_at_ms from deliveries
where target_id = targets.id and ${isOpen} order by seq limit 1)`;
