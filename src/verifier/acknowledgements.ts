import { setTimeout as pause } from 'node:timers/promises';
import { VerifierError } from './errors.ts';
import type { Gateway } from './gateway.ts';

/** Tells the gateway what is applied: one request at a time, each for all that has come in the meantime. */
export interface Acknowledgements {
  /** Everything up to this entry is applied. */
  applied(seq: number): void;
  /** Whatever was to be said before, what counts now is up to this entry. */
  restart(seq: number): void;
}

const RETRY_MS = 500;

export function createAcknowledgements(gateway: Gateway, closing: AbortSignal): Acknowledgements {
  let wanted = 0;
  let said = 0;
  let running = false;

  async function run(): Promise<void> {
    if (running) return;
    running = true;
    while (said < wanted && !closing.aborted) {
      const seq = wanted;
      try {
        await gateway.acknowledge(seq);
        said = Math.max(said, seq);
      } catch (error) {
        // What is refused for good, such as an entry that a restored gateway does not have, is not repeated.
        if (error instanceof VerifierError && !error.passes) said = Math.max(said, seq);
        else await pause(RETRY_MS, undefined, { signal: closing }).catch(() => undefined);
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
