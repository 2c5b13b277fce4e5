import type { Kysely } from 'kysely';
import type { Tables } from '../../db/tables.ts';
import { type Owing, owedTo, RETRY_MAX_MS } from './open.ts';

/** Attempts at one delivery, beyond which it is stuck. */
export const ATTEMPTS_MAX = 24;
/** The longest that is waited before the second attempt; doubled before each further one. */
export const RETRY_FIRST_MS = 1_000;

const fullDelayMs = (attempts: number) =>
  Math.min(RETRY_FIRST_MS * 2 ** (attempts - 1), RETRY_MAX_MS);

/** How long to wait after so many attempts: between half and all of a time that doubles. */
export function retryDelayMs(attempts: number, random = Math.random()): number {
  const full = fullDelayMs(attempts);
  return Math.round(full / 2 + (random * full) / 2);
}

/** Whether the next attempt is not due. A longer wait than there can be is a clock that went back. */
export function mustWait(
  { next_attempt_at_ms, attempts }: Pick<Owing, 'next_attempt_at_ms' | 'attempts'>,
  nowMs: number,
): boolean {
  const waitMs = (next_attempt_at_ms ?? 0) - nowMs;
  return waitMs > 0 && waitMs <= fullDelayMs(attempts);
}

/** Whether there is something to send to a target now. */
export async function somethingDue(
  db: Kysely<Tables>,
  targetId: string,
  nowMs: number,
): Promise<boolean> {
  const [oldest] = await owedTo(db, targetId, nowMs, 1);
  return oldest !== undefined && !mustWait(oldest, nowMs);
}
