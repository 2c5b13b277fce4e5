import { StartError } from '../start-error.ts';

/** How often it is said how far a command is. */
const PROGRESS_MS = 2_000;

/** What long work is given: when to stop, and where to say how far it is. */
export interface LongWork {
  readonly signal: AbortSignal;
  readonly progress: (what: string, count: number) => void;
}

/**
 * Runs long work, which says on standard error how far it is. The first SIGINT or SIGTERM lets it stop
 * where nothing is lost, the next ends the process.
 */
export async function interruptible<T>(
  work: (given: LongWork) => Promise<T>,
  stopped = 'Stopped: the same command, run again, goes on from here.',
): Promise<T> {
  const stop = new AbortController();
  const onSignal = () => stop.abort(new StartError(stopped));
  process.once('SIGINT', onSignal);
  process.once('SIGTERM', onSignal);
  let saidAt = performance.now();
  const progress = (what: string, count: number) => {
    if (performance.now() - saidAt < PROGRESS_MS) return;
    saidAt = performance.now();
    process.stderr.write(`${what}: ${count.toLocaleString('en')}\n`);
  };
  try {
    return await work({ signal: stop.signal, progress });
  } finally {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  }
}
