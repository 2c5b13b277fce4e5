import { setTimeout as pause } from 'node:timers/promises';
import type { Gateway } from './gateway.ts';

/** Tells the gateway what is applied: one request at a time, each for all that has come in the meantime. */
export interface Acknowledgements {
  /** Everything up to this entry is applied. */
  applied(seq: number): void;
  /** Whatever was to be said before, what counts now is up to this entry. */
  restart(seq: number): void;
}

/** Pause before what was not taken is said again, the first time; twice as long each further time. */
const RETRY_MS = 500;
const PAUSE_MAX_MS = 10_000;

export function createAcknowledgements(gateway: Gateway, closing: AbortSignal): Acknowledgements {
  let wanted = 0;
  let said = 0;
  let running = false;
  let failures = 0;

  async function run(): Promise<void> {
    if (running) return;
    running = true;
    while (said < wanted && !closing.aborted) {
      const seq = wanted;
      try {
        await gateway.acknowledge(seq);
        said = Math.max(said, seq);
        failures = 0;
      } catch {
        // Also where it is refused: whatever stands between may say so for a while.
        const ms = Math.min(RETRY_MS * 2 ** failures++, PAUSE_MAX_MS);
        await pause(ms, undefined, { signal: closing }).catch(() => undefined);
      }
    }
    running = false;
  }

  return {
    applied(seq) {
      wanted = Math.max(wanted, seq);
      void run();
    },
    restart(seq) {
      said = Math.min(said, Math.max(seq - 1, 0));
      wanted = seq;
      void run();
    },
  };
}
