import type { FastifyRateLimitStore } from '@fastify/rate-limit';
import { LRUCache } from 'lru-cache';

/** Callers and addresses that are remembered for each limit; who was seen longest ago is forgotten. */
const REMEMBERED_MAX = 20_000;

type Counted = Parameters<FastifyRateLimitStore['incr']>[1];

/**
 * Counts requests in windows. The plugin's own store tells all requests of one turn of the event loop the
 * count of the last of them, so that a burst would be refused as a whole.
 */
export class Windows implements FastifyRateLimitStore {
  readonly #counts = new LRUCache<string, { count: number; endsMs: number }>({
    max: REMEMBERED_MAX,
  });

  incr(key: string, counted: Counted, windowMs: number): void {
    const nowMs = performance.now();
    let window = this.#counts.get(key);
    if (window === undefined || window.endsMs <= nowMs) {
      window = { count: 0, endsMs: nowMs + windowMs };
      this.#counts.set(key, window);
    }
    window.count += 1;
    counted(null, { current: window.count, ttl: window.endsMs - nowMs });
  }

  child(): Windows {
    return new Windows();
  }
}
