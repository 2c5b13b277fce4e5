import type Sqlite from 'better-sqlite3';
import { StartError } from '../start-error.ts';
import { archivesOf } from './entries.ts';

/** What a database holds that is whole. */
export interface Whole {
  /** The last entry of the ledger; 0 where it has none. */
  readonly lastSeq: number;
  /** When that was made. */
  readonly lastAtMs: number | null;
}

/**
 * Looks at every page and every index of a file, and whether the ledger is there without a gap.
 *
 * @throws StartError what is wrong
 */
export function checkWhole(db: Sqlite.Database, what: string): Whole {
  const wrong = (why: string, cause?: unknown) =>
    new StartError(`${what} is no database of a gateway that is whole: ${why}.`, { cause });
  try {
    const found = db.pragma('integrity_check(1)', { simple: true });
    if (found !== 'ok') throw wrong(String(found));
    return checkLedger(db, wrong);
  } catch (error) {
    throw error instanceof StartError ? error : wrong((error as Error).message, error);
  }
}

interface Counted {
  readonly entries: number;
  readonly firstSeq: number | null;
  readonly lastSeq: number | null;
}

/** Entries go from the first that is not archived to the last; where they are being removed, from before that. */
function checkLedger(db: Sqlite.Database, wrong: (why: string) => StartError): Whole {
  const { entries, firstSeq, lastSeq } = db
    .prepare<[], Counted>(
      'select count(*) as entries, min(seq) as firstSeq, max(seq) as lastSeq from ledger',
    )
    .get() as Counted;
  if (firstSeq === null || lastSeq === null) return { lastSeq: 0, lastAtMs: null };
  if (entries !== lastSeq - firstSeq + 1) throw wrong('entries of the ledger are missing');
  if (firstSeq > (archivesOf(db).at(-1)?.last_seq ?? 0) + 1)
    throw wrong(`entry ${firstSeq - 1} is missing`);
  const lastAtMs = db.prepare('select at_ms from ledger where seq = ?').pluck().get(lastSeq);
  return { lastSeq, lastAtMs: Number(lastAtMs) };
}
