import { randomFillSync } from 'node:crypto';
import { v7 } from 'uuid';

/** Makes ids: UUIDv7 (RFC 9562), each greater than the one before, also within a millisecond. */
export function createIds(now: () => number = Date.now): () => string {
  // Each call for random bytes costs more than the rest of an id.
  const stock = new Uint8Array(4_096);
  let used = stock.length;
  let [msecs, seq] = [Number.NEGATIVE_INFINITY, 0];

  function random(): Uint8Array {
    if (used === stock.length) {
      randomFillSync(stock);
      used = 0;
    }
    used += 16;
    return stock.subarray(used - 16, used);
  }

  return () => {
    const bytes = random();
    const nowMs = now();
    if (nowMs > msecs) {
      msecs = nowMs;
      // Three quarters of what the counter holds are left for this millisecond.
      seq = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0) >>> 2;
    } else {
      seq++;
    }
    return v7({ random: bytes, msecs, seq });
  };
}
