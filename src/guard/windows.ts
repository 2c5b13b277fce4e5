import ipaddr from 'ipaddr.js';
import { LRUCache } from 'lru-cache';

/** Callers and addresses that are remembered for each limit; who was seen longest ago is forgotten. */
const REMEMBERED_MAX = 20_000;

/** Counts in windows that begin with the first of what is counted. */
export class Windows {
  readonly #windowMs: number;
  readonly #windows = new LRUCache<string, { count: number; endsMs: number }>({
    max: REMEMBERED_MAX,
  });

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /** Counts one more; says how many there are in its window, and how long that lasts, in milliseconds. */
  count(key: string): { readonly count: number; readonly leftMs: number } {
    const nowMs = performance.now();
    let window = this.#windows.get(key);
    if (window === undefined || window.endsMs <= nowMs) {
      window = { count: 0, endsMs: nowMs + this.#windowMs };
      this.#windows.set(key, window);
    }
    window.count += 1;
    return { count: window.count, leftMs: window.endsMs - nowMs };
  }
}

/** What counts as one address: of IPv6 the network of 64 bits, since a client has all of it. */
export function networkOf(address: string): string {
  if (!address.includes(':') || !ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  return parsed.kind() === 'ipv4' ? parsed.toString() : parsed.toByteArray().slice(0, 8).join('.');
}
