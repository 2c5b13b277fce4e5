import type { Kysely, Selectable } from 'kysely';
import type { ArchiveEndsTable, ArchivesTable } from '../../db/archive-tables.ts';
import type { Tables } from '../../db/tables.ts';
import { prepare } from '../database/prepare.ts';

/** Entries that follow a place in the ledger are not there any more: they are in an archive. */
export class Archived extends Error {
  override readonly name = 'Archived';
  /** The last of the organization's entries that are in an archive. */
  readonly upTo: number;

  constructor(upTo: number) {
    super(`The ledger up to ${upTo} is archived`);
    this.upTo = upTo;
  }
}

/**
 * The last of an organization's entries that are in an archive; 0 where none is. It is recorded before
 * any of them is removed: whoever has read entries, and finds their place not before this, has missed
 * none.
 */
export async function archivedUpTo(db: Kysely<Tables>, organizationId: string): Promise<number> {
  return (await archiveEnd(db, organizationId))?.last_seq ?? 0;
}

/** The last of an organization's entries that are in an archive. */
export async function archiveEnd(
  db: Kysely<Tables>,
  organizationId: string,
): Promise<Selectable<ArchiveEndsTable> | undefined> {
  return (await end(db, { organizationId })).rows[0];
}

const end = prepare<{ organizationId: string }, Selectable<ArchiveEndsTable>>((db, slot) =>
  db.selectFrom('archive_ends').selectAll().where('organization_id', '=', slot('organizationId')),
);

/** The archive that was made last, of all organizations. */
export const lastArchive = (db: Kysely<Tables>): Promise<ArchivesTable | undefined> =>
  db
    .selectFrom('archives')
    .selectAll()
    .where('last_seq', '=', (eb) =>
      eb.selectFrom('archives').select(({ fn }) => fn.max('last_seq').as('newest')),
    )
    .executeTakeFirst();
