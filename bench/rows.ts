import { createHash } from 'node:crypto';
import { newSecret } from '../src/secrets.ts';

/**
 * What the rows of a filled database are called. All follows from their numbers, so that whoever asks
 * for one need not have been told: ids as UUIDv7 has them, ten in a millisecond, the rest scattered.
 */

/** Keys of one application. */
export const KEYS_PER_APPLICATION = 10;

const series = {
  application: 0x1000_0000,
  key: 0x2000_0000,
  token: 0x3000_0000,
  secret: 0x4000_0000,
};

/** How many keys there are among so many rows: the others are applications. */
export const keysOfRows = (rows: number): number =>
  Math.floor((rows * KEYS_PER_APPLICATION) / (KEYS_PER_APPLICATION + 1));

export type Series = keyof typeof series;

const FIRST_MS = Date.UTC(2026, 0, 1);
const IDS_PER_MS = 10;

/** The id of row `i` of a series. */
export function idOf(of: Series, i: number): string {
  const ms = FIRST_MS + Math.floor(i / IDS_PER_MS);
  const time = ms.toString(16).padStart(12, '0');
  const a = scattered(i + series[of]);
  const b = scattered(a ^ i);
  const c = scattered(b + series[of]);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${hex(a, 3)}-8${hex(a >>> 12, 3)}-${hex(b, 8)}${hex(c, 4)}`;
}

const hex = (value: number, digits: number) =>
  (value >>> 0).toString(16).padStart(8, '0').slice(-digits);

/** The finalizer of MurmurHash3: each number has another, and neighbours are far apart. */
function scattered(value: number): number {
  let n = value | 0;
  n = Math.imul(n ^ (n >>> 16), 0x85eb_ca6b);
  n = Math.imul(n ^ (n >>> 13), 0xc2b2_ae35);
  return n ^ (n >>> 16);
}

export const applicationOf = (key: number): string =>
  idOf('application', Math.floor(key / KEYS_PER_APPLICATION));

/** The secret of API key `i`. */
export const keySecretOf = (i: number): string => newSecret('api-key', bytesOf(i));

/** 32 bytes that no other number has. */
function bytesOf(i: number): Buffer {
  const bytes = Buffer.allocUnsafe(32);
  for (let at = 0, n = i + series.secret; at < 32; at += 4) {
    n = scattered(n + at + i);
    bytes.writeInt32LE(n, at);
  }
  // The numbers are scattered; this one part tells them apart for certain.
  bytes.writeUInt32LE(i);
  return bytes;
}

/** Opaque token `i` of a peer, as long as those that it makes itself. */
export const opaqueTokenOf = (i: number): string =>
  createHash('sha256').update(`opaque ${i}`).digest('base64url');

/** Goes through `count` rows in an order without neighbours: for ever, or once, and then says nothing. */
export function wander(count: number, { once = false } = {}): () => number | undefined {
  let at = 0;
  let left = once ? count : Number.POSITIVE_INFINITY;
  // About the golden section, and prime to the count.
  let stride = Math.max(1, Math.floor(count * 0.618));
  while (greatestDivisor(stride, count) > 1) stride += 1;
  return () => {
    left -= 1;
    if (left < 0) return undefined;
    at = (at + stride) % count;
    return at;
  };
}

const greatestDivisor = (a: number, b: number): number => (b === 0 ? a : greatestDivisor(b, a % b));
