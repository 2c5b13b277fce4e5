import type Sqlite from 'better-sqlite3';
import type { ArchivesTable } from '../../db/archive-tables.ts';
import type { LedgerEntry } from '../../db/tables.ts';
import { archivedEntries, checkArchive } from '../retention/archive-file.ts';

/** Entries that are in an archive alone, which cannot be read. */
export interface UnreadArchive {
  readonly file: string;
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly entries: number;
  /** What is wrong with it. */
  readonly why: string;
}

export const isUnread = (part: object): part is UnreadArchive => 'entries' in part;

/** All that was recorded behind an entry, in order: what was archived of it from its files, and the ledger. */
export async function* entriesAfter(
  db: Sqlite.Database,
  seq: number,
): AsyncGenerator<LedgerEntry | UnreadArchive> {
  const first = db.prepare<[], number | null>('select min(seq) from ledger').pluck().get();
  for (const archive of archivesOf(db)) {
    const firstSeq = Math.max(archive.first_seq, seq + 1);
    // What is not removed yet is read from the ledger.
    const lastSeq = Math.min(archive.last_seq, (first ?? Number.POSITIVE_INFINITY) - 1);
    if (firstSeq > lastSeq) continue;
    const { file } = archive;
    const why = await problemOf(archive);
    if (why !== undefined) {
      yield { file, firstSeq, lastSeq, entries: lastSeq - firstSeq + 1, why };
      continue;
    }
    for await (const entry of archivedEntries(file)) {
      if (entry.seq >= firstSeq && entry.seq <= lastSeq) yield entry;
    }
  }
  yield* db
    .prepare<[number], LedgerEntry>('select * from ledger where seq > ? order by seq')
    .iterate(seq);
}

/** What keeps an archive from being read; undefined where it is what was recorded. */
async function problemOf({ file, digest }: ArchivesTable): Promise<string | undefined> {
  try {
    if ((await checkArchive(file)).digest === digest) return undefined;
    return `its digest is not ${digest}`;
  } catch (error) {
    return (error as Error).message;
  }
}

/** The archives that a database knows of, oldest first; older databases have none. */
export function archivesOf(db: Sqlite.Database): ArchivesTable[] {
  const present = db
    .prepare("select count(*) from sqlite_schema where type = 'table' and name = 'archives'")
    .pluck()
    .get();
  if (present === 0) return [];
  return db.prepare<[], ArchivesTable>('select * from archives order by last_seq').all();
}
