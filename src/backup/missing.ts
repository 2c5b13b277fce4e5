import type Sqlite from 'better-sqlite3';

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

interface Ends {
  readonly first: number | null;
  readonly last: number | null;
}

/**
 * The last entry that two ledgers have in common; 0 where they have none. Entries are only added, and
 * their ids are random: where one is the same, so are all before it.
 */
export function commonEnd(one: Sqlite.Database, other: Sqlite.Database): number {
  const [a, b] = [endsOf(one), endsOf(other)];
  const last = Math.min(a.last ?? 0, b.last ?? 0);
  // What is before is archived in one of them, and cannot be compared.
  let common = Math.min(Math.max(a.first ?? 1, b.first ?? 1) - 1, last);
  const [idIn, idInOther] = [idsOf(one), idsOf(other)];
  for (let beyond = last + 1; beyond - common > 1; ) {
    const seq = Math.floor((common + beyond) / 2);
    if (idIn(seq) === idInOther(seq)) common = seq;
    else beyond = seq;
  }
  return common;
}

/** How much of a ledger lies behind an entry. */
export function countAfter(db: Sqlite.Database, seq: number) {
  return db
    .prepare<[number], { entries: number; revocations: number }>(
      `select count(*) as entries,
         count(case when action = 'revoke' and outcome = 'done' then 1 end) as revocations
       from ledger where seq > ?`,
    )
    .get(seq) as { entries: number; revocations: number };
}

/** Revocations behind an entry, one by one. */
export const revocationsAfter = (
  db: Sqlite.Database,
  seq: number,
): IterableIterator<MissingRevocation> =>
  db
    .prepare<[number], MissingRevocation>(
      `select ledger.seq, ledger.id as revocationId, ledger.at_ms as atMs, organization.slug as organization, ledger.kind,
         ledger.target_id as id, ledger.target, coalesce(ledger.reason, 'UNSPECIFIED') as reason,
         ledger.actor
       from ledger left join revocables as organization on organization.id = ledger.organization_id
       where ledger.seq > ? and ledger.action = 'revoke' and ledger.outcome = 'done'
       order by ledger.seq`,
    )
    .iterate(seq);

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
