/**
 * Knows how old the newest word of the gateway is, and what time it is there. Words that a slow
 * connection brings late count from when they were said.
 */
export interface Clock {
  /** The gateway is asked for its feed: all that it says from now on was said after this moment. */
  connecting(): void;
  /** What is known is what the gateway knew when it was asked last. */
  caughtUp(): void;
  /** The gateway has said that all was told at this time of its own; by how many milliseconds that is late. */
  heard(gatewayMs: number): number;
  /** For how many milliseconds nothing current is known; undefined: nothing ever was. */
  ageMs(): number | undefined;
  /** The time at the gateway, in milliseconds since 1970: never behind, but ahead by what a request takes. */
  nowMs(): number;
}

export function createClock(): Clock {
  let askedAtMs = performance.now();
  /** Our clock less the gateway's, at the least. */
  let offsetMs = askedAtMs - Date.now();
  let anchored = false;
  /** When what is known was current, by both clocks: one stands still while the machine sleeps, the other is set. */
  let current: { monotonic: number; wall: number } | undefined;

  function currentAt(monotonic: number): number {
    const ageMs = performance.now() - monotonic;
    current = { monotonic, wall: Date.now() - ageMs };
    return ageMs;
  }

  return {
    connecting() {
      askedAtMs = performance.now();
      anchored = false;
    },
    caughtUp() {
      currentAt(askedAtMs);
    },
    heard(gatewayMs) {
      // It was said after it was asked for, and before it was heard.
      const atMost = performance.now() - gatewayMs;
      offsetMs = anchored ? Math.min(offsetMs, atMost) : askedAtMs - gatewayMs;
      anchored = true;
      return currentAt(gatewayMs + offsetMs);
    },
    ageMs() {
      if (current === undefined) return undefined;
      return Math.max(performance.now() - current.monotonic, Date.now() - current.wall, 0);
    },
    nowMs: () => performance.now() - offsetMs,
  };
}
