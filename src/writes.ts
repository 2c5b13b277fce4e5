import type { ControlledTransaction, Kysely, Transaction } from 'kysely';
import pRetry from 'p-retry';
import type { Tables } from '../db/tables.ts';
import { isBusy } from './unavailable.ts';

/** The only way to change the database: jobs run one at a time, and are answered once committed. */
export interface Writes {
  /**
   * Runs the job in a transaction and resolves after its commit is on disk. Only `tx` may be awaited
   * inside. A job that throws leaves nothing behind and disturbs no other.
   */
  run<T>(job: (tx: Transaction<Tables>) => Promise<T>): Promise<T>;
  /** Resolves when every job taken so far is answered. */
  drained(): Promise<void>;
}

interface Job {
  work: (tx: Transaction<Tables>) => Promise<unknown>;
  resolve: (value: unknown) => void;
  reject: (error: unknown) => void;
}

type Answer = () => void;

/** Jobs in one commit at the most, so that a flood delays no answer for long. */
const BATCH_MAX = 256;

/**
 * A queue that commits in groups: whatever arrives during one turn of the event loop shares one
 * transaction, each job in a savepoint of its own.
 */
export function createWrites(db: Kysely<Tables>): Writes {
  const waiting: Job[] = [];
  let running: Promise<void> | undefined;

  async function flush(): Promise<void> {
    while (waiting.length > 0) {
      await nextTurn();
      await commitTogether(db, waiting.splice(0, BATCH_MAX));
    }
    running = undefined;
  }

  return {
    run: (work) =>
      new Promise((resolve, reject) => {
        waiting.push({ work, resolve: resolve as Job['resolve'], reject });
        running ??= flush();
      }),
    drained: async () => {
      await running;
    },
  };
}

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** How often the write lock is asked for, with up to 100 ms between, before jobs are given up. */
const BUSY_TRIES_MAX = 50;

/** Takes the write lock; another process may hold it for some seconds before the jobs are given up. */
const begin = (db: Kysely<Tables>) =>
  pRetry(() => db.startTransaction().execute(), {
    ...{ retries: BUSY_TRIES_MAX, minTimeout: 10, maxTimeout: 50 },
    shouldRetry: ({ error }) => isBusy(error),
  });

async function commitTogether(db: Kysely<Tables>, jobs: Job[]): Promise<void> {
  const answers: Answer[] = [];
  try {
    const tx = await begin(db);
    try {
      for (const job of jobs) answers.push(await runInSavepoint(tx, job));
      await tx.commit().execute();
    } catch (error) {
      // The engine may have ended the transaction by itself (a full disk): then there is none.
      await tx
        .rollback()
        .execute()
        .catch(() => undefined);
      throw error;
    }
  } catch (error) {
    for (const job of jobs) job.reject(error);
    return;
  }
  for (const answer of answers) answer();
}

async function runInSavepoint(tx: ControlledTransaction<Tables>, job: Job): Promise<Answer> {
  const inner = await tx.savepoint('job').execute();
  try {
    const value = await job.work(inner);
    await inner.releaseSavepoint('job').execute();
    return () => job.resolve(value);
  } catch (error) {
    await inner.rollbackToSavepoint('job').execute();
    await inner.releaseSavepoint('job').execute();
    return () => job.reject(error);
  }
}
