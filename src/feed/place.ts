import { hash } from 'node:crypto';
import type { Kysely } from 'kysely';
import type { Tables } from '../../db/tables.ts';
import { prepare } from '../database/prepare.ts';

/** Where a client was told that the ledger had got to, as it sends it back. */
export interface Place {
  readonly seq: number;
  /** Which entry that was; undefined where the client did not say. */
  readonly mark: string | undefined;
}

/** An entry as a client of the feed names it. It tells nothing of the entry, which may be others'. */
export const placeText = (seq: number, entryId: string | undefined): string =>
  entryId === undefined ? String(seq) : `${seq}-${markOf(entryId)}`;

/** Reads what a client has sent back; undefined where it is none. */
export function readPlace(text: string): Place | undefined {
  const [, seq, mark] = /^(\d{1,15})(?:-([\w-]{8}))?$/.exec(text) ?? [];
  return seq === undefined ? undefined : { seq: Number(seq), mark };
}

/**
 * Whether the ledger still has at a place what it had there. Entries are only added, and ids are random:
 * where one entry is the same, so are all before it. A ledger that was restored from a backup, and has
 * grown since, has others.
 */
export async function isInLedger(db: Kysely<Tables>, { seq, mark }: Place): Promise<boolean> {
  if (mark === undefined) return true;
  const [entry] = (await entryAt(db, { seq })).rows;
  return entry !== undefined && markOf(entry.id) === mark;
}

const entryAt = prepare<{ seq: number }, { id: string }>((db, slot) =>
  db.selectFrom('ledger').select('id').where('seq', '=', slot('seq')),
);

const markOf = (entryId: string) => hash('sha256', entryId, 'base64url').slice(0, 8);
