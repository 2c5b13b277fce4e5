import { setTimeout as pause } from 'node:timers/promises';
import type { Transaction } from 'kysely';
import type { Tables } from '../../db/tables.ts';
import type { Writes } from '../writes.ts';

/**
 * One statement's worth of work: as many rows as it is given, at the most.
 *
 * @returns the state from which the next goes on, and whether there is more to do
 */
export type Step<State> = (
  tx: Transaction<Tables>,
  state: State,
  rows: number,
) => Promise<{ state: State; more: boolean }>;

/** Does work of any length in transactions that are too short for anybody to notice. */
export interface Portions {
  /** Takes steps until there is no more to do, and gives the last state. */
  run<State>(initial: State, step: Step<State>): Promise<State>;
  /** Runs one short job. */
  once<T>(job: (tx: Transaction<Tables>) => Promise<T>): Promise<T>;
  /** How long the longest transaction took, its commit included. */
  longestMs(): number;
}

/** What a transaction may take, its commit included: what else is written waits for its end. */
const TRANSACTION_MS = 8;
/** For how long it takes further steps at the most; less where its commits take long. */
const STEPS_MS = 3;
const STEPS_MIN_MS = 1;
/** What a step should take: the number of its rows follows what the last ones took. */
const STEP_MS = 2;
const STEP_ROWS_MIN = 16;
const STEP_ROWS_MAX = 128;
/** Between two transactions at the least, so that whoever waits gets their turn. */
const PAUSE_MS = 10;

/** @param signal stops between two transactions: what is done stays done */
export function createPortions(writes: Writes, signal: AbortSignal): Portions {
  let rows = STEP_ROWS_MIN;
  let stepsMs = STEPS_MS;
  let longestMs = 0;

  /** Runs a job, and says how long others waited for it. */
  async function timed<T>(job: (tx: Transaction<Tables>) => Promise<T>) {
    signal.throwIfAborted();
    let begunAt = performance.now();
    const result = await writes.run((tx) => {
      begunAt = performance.now();
      return job(tx);
    });
    const tookMs = performance.now() - begunAt;
    longestMs = Math.max(longestMs, tookMs);
    return { result, tookMs };
  }

  /** Powers of two, so that there are few statements to prepare. */
  function adaptRows(tookMs: number): void {
    if (tookMs > STEP_MS) rows = Math.max(rows / 2, STEP_ROWS_MIN);
    else if (tookMs < STEP_MS / 2) rows = Math.min(rows * 2, STEP_ROWS_MAX);
  }

  async function portion<State>(
    tx: Transaction<Tables>,
    state: State,
    step: Step<State>,
  ): Promise<{ state: State; more: boolean }> {
    const until = performance.now() + stepsMs;
    for (let [at, from] = [performance.now(), state]; ; ) {
      const done = await step(tx, from, rows);
      const now = performance.now();
      adaptRows(now - at);
      if (!done.more || now >= until) return done;
      [at, from] = [now, done.state];
    }
  }

  return {
    once: async (job) => (await timed(job)).result,
    async run(initial, step) {
      let done = { state: initial, more: true };
      while (done.more) {
        const { state } = done;
        const { result, tookMs } = await timed((tx) => portion(tx, state, step));
        done = result;
        stepsMs =
          tookMs > TRANSACTION_MS
            ? Math.max(stepsMs / 2, STEPS_MIN_MS)
            : Math.min(stepsMs * 1.25, STEPS_MS);
        if (!done.more) break;
        await pause(Math.max(PAUSE_MS, tookMs), undefined, { signal }).catch(() => undefined);
      }
      return done.state;
    },
    longestMs: () => longestMs,
  };
}
