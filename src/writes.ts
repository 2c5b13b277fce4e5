import { setTimeout } from 'node:timers/promises';
import { CompiledQuery, type Transaction } from 'kysely';
import pRetry from 'p-retry';
import type { Tables } from '../db/tables.ts';
import type { Database, Opened } from './database/database.ts';
import type { Metrics } from './observability/metrics.ts';
import { Conflict, isBusy, Overloaded, Unavailable } from './unavailable.ts';

/** The only way to change the database: jobs run one at a time, and are answered once committed. */
export interface Writes {
  /**
   * Runs the job in a transaction and resolves after its commit is on disk. Only `tx` may be awaited
   * inside. A job that throws leaves nothing behind and disturbs no other. Where engines let
   * transactions collide it may run more than once, and only the last time counts.
   */
  run<T>(job: (tx: Transaction<Tables>) => Promise<T>): Promise<T>;
  /**
   * The same for a part of something long: it has a commit of its own, and whatever else has come is
   * committed and answered before it.
   */
  runPart<T>(job: (tx: Transaction<Tables>) => Promise<T>): Promise<T>;
  /** Resolves when every job taken so far is answered. */
  drained(): Promise<void>;
  /** How many wait for their turn. */
  waiting(): number;
}

interface Job {
  work: (tx: Transaction<Tables>) => Promise<unknown>;
  resolve: (value: unknown) => void;
  reject: (error: unknown) => void;
}

type Answer = () => void;

/** Jobs in one commit at the most, so that a flood delays no answer for long. */
const BATCH_MAX = 256;

/** Jobs that wait: whoever comes then is told to come again, and waits no longer than these take. */
const WAITING_MAX = 1_000;

/** For how long a commit takes up jobs, so that no other writer waits for long; the rest is for the next. */
export const BATCH_MS = 15;

/**
 * A queue that commits in groups: whatever arrives during one turn of the event loop shares one
 * transaction, each job in a savepoint of its own. Groups and parts of something long alternate.
 */
export function createWrites({ begin }: Pick<Database, 'begin'>, metrics?: Metrics): Writes {
  const waiting: Job[] = [];
  const parts: Job[] = [];
  let running: Promise<void> | undefined;

  async function flush(): Promise<void> {
    let wasPart = true;
    while (waiting.length > 0 || parts.length > 0) {
      await nextTurn();
      wasPart = parts.length > 0 && (waiting.length === 0 || !wasPart);
      const jobs = wasPart ? parts.splice(0, 1) : waiting.splice(0, BATCH_MAX);
      const begunMs = performance.now();
      const outcome = await commitTogether(begin, jobs);
      waiting.unshift(...outcome.left);
      const tookMs = performance.now() - begunMs;
      // Who has waited behind them would only wait as long again for the same.
      const { failed } = outcome;
      const late = tookMs > FAILED_LATE_MS;
      const committed = jobs.length - outcome.left.length;
      metrics?.committed(committed, tookMs / 1000, failed !== undefined);
      if (failed !== undefined && !(failed instanceof Conflict) && late) {
        for (const job of [...waiting.splice(0), ...parts.splice(0)]) job.reject(failed);
      }
    }
    running = undefined;
  }

  const taking =
    (queue: Job[]): Writes['run'] =>
    (work) =>
      new Promise((resolve, reject) => {
        if (queue.length >= WAITING_MAX) throw new Overloaded('Too many changes wait');
        queue.push({ work, resolve: resolve as Job['resolve'], reject });
        running ??= flush();
      });

  return {
    run: taking(waiting),
    runPart: taking(parts),
    drained: async () => {
      await running;
    },
    waiting: () => waiting.length + parts.length,
  };
}

/** A commit that took longer than this to fail has all that waits fail with it. */
const FAILED_LATE_MS = 1_000;

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** How often the write lock is asked for, with up to 100 ms between, before jobs are given up. */
const BUSY_TRIES_MAX = 50;
/** How often jobs that have collided with those of another gateway are repeated. */
const CONFLICT_TRIES_MAX = 20;
/** The longest pause before the first repetition; each further one may be as much longer. */
const CONFLICT_PAUSE_MS = 10;

/** Commits as many of the jobs as there is time for; the others are left, or all have failed. */
async function commitTogether(
  begin: Database['begin'],
  jobs: Job[],
): Promise<{ left: Job[]; failed?: unknown }> {
  for (let tries = 1; ; tries++) {
    try {
      const answers = await attempt(begin, jobs);
      for (const answer of answers) answer();
      return { left: jobs.slice(answers.length) };
    } catch (error) {
      if (error instanceof Conflict && tries < CONFLICT_TRIES_MAX) {
        await setTimeout(Math.random() * CONFLICT_PAUSE_MS * tries);
        continue;
      }
      for (const job of jobs) job.reject(error);
      return { left: [], failed: error };
    }
  }
}

async function attempt(begin: Database['begin'], jobs: readonly Job[]): Promise<Answer[]> {
  const answers: Answer[] = [];
  const opened = await inTurn(begin);
  const until = performance.now() + BATCH_MS;
  try {
    for (const job of jobs) {
      answers.push(await runInSavepoint(opened, job));
      if (performance.now() > until) break;
    }
    await opened.commit();
    return answers;
  } catch (error) {
    // The engine may have ended the transaction by itself (a full disk): then there is none.
    await opened.rollback().catch(() => undefined);
    throw error;
  }
}

/** Takes the write lock; another process may hold it for some seconds before the jobs are given up. */
const inTurn = (begin: Database['begin']): Promise<Opened> =>
  pRetry(begin, {
    ...{ retries: BUSY_TRIES_MAX, minTimeout: 10, maxTimeout: 50 },
    shouldRetry: ({ error }) => isBusy(error),
  });

const SAVEPOINT = CompiledQuery.raw('savepoint job');
const RELEASE = CompiledQuery.raw('release savepoint job');
const ROLLBACK = CompiledQuery.raw('rollback to savepoint job');

async function runInSavepoint({ tx }: Opened, job: Job): Promise<Answer> {
  const executor = tx.getExecutor();
  await executor.executeQuery(SAVEPOINT);
  try {
    const value = await job.work(tx);
    await executor.executeQuery(RELEASE);
    return () => job.resolve(value);
  } catch (error) {
    // It is not the job that failed, but the transaction.
    if (error instanceof Unavailable) throw error;
    try {
      await executor.executeQuery(ROLLBACK);
      await executor.executeQuery(RELEASE);
    } catch {
      // The engine has ended the transaction by itself, as SQLite may when it cannot write.
      throw error;
    }
    return () => job.reject(error);
  }
}
