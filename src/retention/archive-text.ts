import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import type { Tables } from '../../db/tables.ts';
import { readRange, type Wanted } from './read-range.ts';

/** The first line of an archive. */
export interface Header {
  readonly type: 'archive';
  readonly version: 1;
  readonly firstSeq: number;
  /** The digest of the archive before it, which it follows; null: it is the first. */
  readonly previousDigest: string | null;
}

/** The last line of an archive. */
export interface Trailer {
  readonly type: 'end';
  readonly lastSeq: number;
  readonly entries: number;
  readonly deliveries: number;
  /** `sha256:` and the digest of all lines before this one, hexadecimal. */
  readonly digest: string;
}

/** What an archive holds. */
export interface Contents extends Omit<Header, 'type' | 'version'>, Omit<Trailer, 'type'> {
  /** When its last entry was made. */
  readonly lastAtMs: number;
}

/** What was written, and the entry that ended it because it still owes a delivery, if one did. */
export interface Exported extends Contents {
  readonly unfinishedSeq: number | undefined;
}

export interface Exporting extends Wanted {
  readonly previousDigest: string | null;
  readonly signal: AbortSignal;
  /** Told how many entries were written so far. */
  readonly progress: (entries: number) => void;
}

/** Characters that are written at once, and some. */
const TEXT_CHARS_MAX = 262_144;

export const digestOf = (hash: ReturnType<typeof createHash>): string =>
  `sha256:${hash.digest('hex')}`;

/** Writes a range of the ledger as JSON Lines: the same range is the same text each time. */
export async function exportRange(
  db: Kysely<Tables>,
  { previousDigest, signal, progress, ...wanted }: Exporting,
  write: (text: string) => Promise<void>,
): Promise<Exported> {
  const { firstSeq } = wanted;
  const header: Header = { type: 'archive', version: 1, firstSeq, previousDigest };
  const hash = createHash('sha256');
  let text = lineOf(header);
  async function flush(): Promise<void> {
    hash.update(text);
    await write(text);
    text = '';
    progress(entries);
    // The command is also to hear that it shall stop.
    await setImmediate();
    signal.throwIfAborted();
  }

  let [lastSeq, lastAtMs, entries, deliveries] = [firstSeq - 1, 0, 0, 0];
  const range = readRange(db, wanted);
  let next = await range.next();
  for (; !next.done; next = await range.next()) {
    const { entry, deliveries: own } = next.value;
    const brought = own.map(({ seq: _its, ...delivery }) => delivery);
    text += lineOf({ type: 'entry', ...entry, deliveries: brought });
    [lastSeq, lastAtMs] = [entry.seq, entry.at_ms];
    entries += 1;
    deliveries += own.length;
    if (text.length > TEXT_CHARS_MAX) await flush();
  }
  await flush();
  const counted = { lastSeq, entries, deliveries, digest: digestOf(hash) };
  await write(lineOf({ type: 'end', ...counted } satisfies Trailer));
  return { firstSeq, previousDigest, ...counted, lastAtMs, unfinishedSeq: next.value };
}

const lineOf = (value: object): string => `${JSON.stringify(value)}\n`;
