import { VerifierError } from './errors.ts';

/** Lets so many do something at once; the others wait for their turn. */
export interface Turns {
  /** Throws `VerifierError` where too many wait, or the turn does not come in time. */
  take<T>(act: () => Promise<T>): Promise<T>;
}

export function createTurns(limits: {
  readonly activeMax: number;
  readonly waitingMax: number;
  readonly timeoutMs: number;
}): Turns {
  const waiting = new Set<() => void>();
  let active = 0;

  function turn(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (waiting.size >= limits.waitingMax) {
        reject(new VerifierError('unreachable', 'Too much is asked of the gateway at once'));
        return;
      }
      const take = () => {
        clearTimeout(timer);
        waiting.delete(take);
        resolve();
      };
      const timer = setTimeout(() => {
        waiting.delete(take);
        reject(new VerifierError('unreachable', 'The gateway is asked more than it answers'));
      }, limits.timeoutMs);
      waiting.add(take);
    });
  }

  return {
    async take(act) {
      if (active >= limits.activeMax) await turn();
      else active += 1;
      try {
        return await act();
      } finally {
        const [next] = waiting;
        // Whoever is next takes over the place.
        if (next === undefined) active -= 1;
        else next();
      }
    },
  };
}
