import type { Kysely } from 'kysely';
import type { Tables, Target } from '../../db/tables.ts';

/** What became of the first attempt to bring a ledger entry to a target. */
export interface Attempt {
  readonly target: string;
  readonly success: boolean;
  /** What went wrong, in words. */
  readonly error?: string;
}

/** How long an answer waits for first attempts; they go on behind it. */
export const FIRST_ATTEMPTS_WAIT_MS = 6_000;

/** When it is looked first whether another gateway has made the attempt; the pause grows by half each time. */
export const LOOK_FIRST_MS = 50;
/** How long the pause between two looks is at the most. */
export const LOOK_MAX_MS = 500;

/** Waits for first attempts, whichever gateway makes them: the row of the delivery says what came of it. */
export interface FirstAttempts {
  wait(seq: number, target: Target): Promise<Attempt>;
  /** Says that the row may tell by now. */
  attempted(targetId: string, seq: number): void;
  /** Says that nothing is sent to a target for now, because of what went wrong with the oldest thing. */
  blocked(targetId: string, error: string): void;
}

type Look = (behind?: string) => Promise<void>;

export function createFirstAttempts(
  reader: Kysely<Tables>,
  wake: (targetId: string) => void,
): FirstAttempts {
  const waiting = new Map<string, Map<number, Look>>();

  async function wait(seq: number, { id, name }: Target): Promise<Attempt> {
    const { promise, resolve } = Promise.withResolvers<Attempt>();
    const answer = (error: string | undefined) =>
      resolve({
        target: name,
        ...(error === undefined ? { success: true } : { success: false, error }),
      });
    const look: Look = async (behind) => {
      const row = await rowOf(reader, seq, id).catch(() => undefined);
      if (row === undefined) return;
      if (row.acknowledged_at_ms !== null) answer(undefined);
      else if (row.closed_at_ms !== null) answer(row.last_error ?? 'Closed before it was sent');
      else if (row.attempts > 0) answer(row.last_error ?? '');
      else if (behind !== undefined) answer(`Waits behind an earlier message: ${behind}`);
    };
    let pauseMs = LOOK_FIRST_MS;
    const lookAgain = () => {
      look().catch(() => undefined);
      // The gateway that has it may have let go of it.
      wake(id);
      pauseMs = Math.min(pauseMs * 1.5, LOOK_MAX_MS);
      timer = setTimeout(lookAgain, pauseMs);
    };
    let timer = setTimeout(lookAgain, pauseMs);
    const limit = setTimeout(
      () => answer(`No answer within ${FIRST_ATTEMPTS_WAIT_MS} ms: it is tried again`),
      FIRST_ATTEMPTS_WAIT_MS,
    );
    const ofTarget = waiting.get(id) ?? new Map<number, Look>();
    waiting.set(id, ofTarget.set(seq, look));
    wake(id);
    const attempt = await promise;
    clearTimeout(timer);
    clearTimeout(limit);
    ofTarget.delete(seq);
    if (ofTarget.size === 0) waiting.delete(id);
    return attempt;
  }

  return {
    wait,
    attempted: (targetId, seq) => void waiting.get(targetId)?.get(seq)?.(),
    blocked(targetId, error) {
      for (const look of waiting.get(targetId)?.values() ?? []) void look(error);
    },
  };
}

const rowOf = (reader: Kysely<Tables>, seq: number, targetId: string) =>
  reader
    .selectFrom('deliveries')
    .select(['acknowledged_at_ms', 'closed_at_ms', 'attempts', 'last_error'])
    .where('seq', '=', seq)
    .where('target_id', '=', targetId)
    .executeTakeFirst();
