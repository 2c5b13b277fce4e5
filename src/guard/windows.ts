import ipaddr from 'ipaddr.js';

/** Counts in windows, which begin with the first that is counted in them and are the same for all keys. */
export class Windows {
  readonly #windowMs: number;
  #endsMs = Number.NEGATIVE_INFINITY;
  // Thrown away with its window: no more keys than there are requests in one.
  #counts = new Map<string, number>();

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /** Counts one more; says how many there are in its window, and how long that lasts, in milliseconds. */
  count(key: string): { readonly count: number; readonly leftMs: number } {
    const nowMs = performance.now();
    if (nowMs >= this.#endsMs) {
      this.#endsMs = nowMs + this.#windowMs;
      this.#counts = new Map();
    }
    const count = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, count);
    return { count, leftMs: this.#endsMs - nowMs };
  }
}

/** What counts as one address: of IPv6 the network of 64 bits, since a client has all of it. */
export function networkOf(address: string): string {
  if (!address.includes(':') || !ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  return parsed.kind() === 'ipv4' ? parsed.toString() : parsed.toByteArray().slice(0, 8).join('.');
}
