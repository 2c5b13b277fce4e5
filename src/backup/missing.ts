import type Sqlite from 'better-sqlite3';
import type { LedgerEntry } from '../../db/tables.ts';
import { archivesOf, entriesAfter, isUnread, type UnreadArchive } from './entries.ts';

/** A revocation that one database has, and another has not. */
export interface MissingRevocation {
  readonly seq: number;
  /** As its answer and webhooks named it. */
  readonly revocationId: string;
  readonly atMs: number;
  readonly organization: string | null;
  readonly kind: string;
  /** The row; null for JWTs of others, which are none. */
  readonly id: string | null;
  /** As it was addressed. */
  readonly target: string;
  readonly reason: string;
  readonly actor: string;
}

/** How much was recorded behind an entry. */
export interface Counted {
  readonly entries: number;
  /** But for those in archives that cannot be read. */
  readonly revocations: number;
  readonly unreadArchives: readonly UnreadArchive[];
}

interface Ends {
  readonly first: number | null;
  readonly last: number | null;
}

/**
 * The last entry that two ledgers have in common; 0 where they have none. Entries are only added, and
 * their ids are random: where one is the same, so are all before it.
 */
export async function commonEnd(one: Sqlite.Database, other: Sqlite.Database): Promise<number> {
  const [a, b] = [endsOf(one), endsOf(other)];
  const last = Math.min(a.last ?? 0, b.last ?? 0);
  // What is before is archived in one of them.
  const before = Math.min(Math.max(a.first ?? 1, b.first ?? 1) - 1, last);
  let common = before;
  const [idIn, idInOther] = [idsOf(one), idsOf(other)];
  for (let beyond = last + 1; beyond - common > 1; ) {
    const seq = Math.floor((common + beyond) / 2);
    if (idIn(seq) === idInOther(seq)) common = seq;
    else beyond = seq;
  }
  return common > before || before === 0 ? common : await archivedCommonEnd(one, other, last);
}

/**
 * The same, of two ledgers that part within what is archived. Nothing tells what an archive holds that
 * cannot be read: where they differ behind it, it is taken for different, and else for the same.
 */
async function archivedCommonEnd(
  one: Sqlite.Database,
  other: Sqlite.Database,
  last: number,
): Promise<number> {
  const digests = new Map(archivesOf(other).map(({ last_seq, digest }) => [last_seq, digest]));
  const same = archivesOf(one).findLast(({ last_seq, digest }) => digests.get(last_seq) === digest);
  let common = same?.last_seq ?? 0;
  const others = entriesAfter(other, common);
  try {
    let next = await others.next();
    for await (const entry of entriesAfter(one, common)) {
      if (isUnread(entry)) continue;
      while (!next.done && (isUnread(next.value) || next.value.seq < entry.seq)) {
        next = await others.next();
      }
      if (next.done) break;
      if (isUnread(next.value) || next.value.seq > entry.seq) continue;
      if (next.value.id !== entry.id) return common;
      common = entry.seq;
    }
    return last;
  } finally {
    await others.return(undefined);
  }
}

/** Counts what was recorded behind an entry. */
export async function countAfter(db: Sqlite.Database, seq: number): Promise<Counted> {
  let [entries, revocations] = [0, 0];
  const unreadArchives: UnreadArchive[] = [];
  for await (const part of entriesAfter(db, seq)) {
    if (isUnread(part)) unreadArchives.push(part);
    else if (isRevocation(part)) revocations += 1;
    entries += isUnread(part) ? part.entries : 1;
  }
  return { entries, revocations, unreadArchives };
}

/** Revocations behind an entry, one by one, and archives that may hold others. */
export async function* revocationsAfter(
  db: Sqlite.Database,
  seq: number,
): AsyncGenerator<MissingRevocation | UnreadArchive> {
  const slug = db
    .prepare<[string], string | null>('select slug from revocables where id = ?')
    .pluck();
  for await (const part of entriesAfter(db, seq)) {
    if (isUnread(part)) yield part;
    else if (isRevocation(part)) {
      yield {
        ...{ seq: part.seq, revocationId: part.id, atMs: part.at_ms },
        ...{ organization: slug.get(part.organization_id) ?? null, kind: part.kind },
        ...{ id: part.target_id, target: part.target },
        ...{ reason: part.reason ?? 'UNSPECIFIED', actor: part.actor },
      };
    }
  }
}

const isRevocation = ({ action, outcome }: LedgerEntry): boolean =>
  action === 'revoke' && outcome === 'done';

/** Keys that one database has retired, and by which the other has signatures count. */
export function revivedKeys(old: Sqlite.Database, now: Sqlite.Database): string[] {
  const kids = (db: Sqlite.Database, condition: string) =>
    db.prepare<[], string>(`select kid from signing_keys where ${condition}`).pluck().all();
  const retired = new Set(kids(old, 'retired_at_ms is not null'));
  return kids(now, 'retired_at_ms is null').filter((kid) => retired.has(kid));
}

const endsOf = (db: Sqlite.Database): Ends =>
  db.prepare<[], Ends>('select min(seq) as first, max(seq) as last from ledger').get() ?? {
    first: null,
    last: null,
  };

const idsOf = (db: Sqlite.Database) => {
  const statement = db.prepare<[number], string>('select id from ledger where seq = ?').pluck();
  return (seq: number) => statement.get(seq);
};
