import { setTimeout as wait } from 'node:timers/promises';
import { StartError } from '../../start-error.ts';
import type { Connection } from './connection.ts';
import { type Entry, entriesAfter, PAGE_MAX, type Page } from './entries.ts';
import { printable, say } from './screen.ts';

/** How often the ledger is looked at. */
const FOLLOW_POLL_MS = 500;

/** Up to where the ledger is told; `id` and `at` where the entry itself was seen. */
export interface Place {
  readonly seq: number;
  readonly id?: string;
  readonly at?: string;
}

/**
 * Every entry behind a place, in order, none twice; and if it is followed, those to come. Each look begins
 * with the last entry that was told: as long as that is still there, nothing between was missed, and the
 * ledger is the one that it was.
 */
export async function* entriesFrom(
  connection: Connection,
  from: Place,
  { signal, follow }: { signal: AbortSignal; follow: boolean },
): AsyncGenerator<readonly Entry[]> {
  let place = from;
  for (;;) {
    const options = follow ? { signal, patienceMs: Number.POSITIVE_INFINITY } : { signal };
    const page = await entriesAfter(connection, Math.max(0, place.seq - 1), options);
    const entries = behind(page, place);
    const last = entries.at(-1);
    if (entries.length > 0) yield entries;
    if (last !== undefined) place = last;
    if (page.entries.length === PAGE_MAX) continue;
    if (!follow) return;
    await wait(FOLLOW_POLL_MS, undefined, { signal });
  }
}

/** What of a page is new. Says where entries may be missing, and throws where it is another ledger. */
function behind({ entries, archivedUntil }: Page, { seq, id, at }: Place): readonly Entry[] {
  const [first] = entries;
  if (seq === 0) return entries;
  if (first === undefined || (first.seq === seq && id !== undefined && first.id !== id)) {
    throw new StartError(
      `Entry ${seq} is not in this ledger: it is another, or was restored from a backup. Begin anew.`,
    );
  }
  if (first.seq === seq) return entries.slice(1);
  if (archivedUntil !== null && (at === undefined || archivedUntil > at)) {
    say(
      `Entries behind ${seq} may be missing here: up to ${printable(archivedUntil)} they are archived.`,
    );
  }
  return entries;
}
