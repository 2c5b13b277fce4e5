import { existsSync } from 'node:fs';
import type { Kysely } from 'kysely';
import type { ArchivesTable } from '../../db/archive-tables.ts';
import type { Tables } from '../../db/tables.ts';
import { draft, settle } from '../draft.ts';
import { StartError } from '../start-error.ts';
import type { Writes } from '../writes.ts';
import { checkArchive } from './archive-file.ts';
import { type Contents, type Exported, type Exporting, exportRange } from './archive-text.ts';
import { lastArchive } from './archived.ts';
import { createPortions, type Portions } from './portions.ts';
import { type Archivist, removeArchived } from './remove-archived.ts';

export interface Archiving extends Archivist {
  readonly reader: Kysely<Tables>;
  readonly writes: Writes;
  /** Only entries that were made before. */
  readonly beforeMs: number;
  /** The file that is made; undefined: nothing is written, and it is only said what would be. */
  readonly file: string | undefined;
  readonly signal: AbortSignal;
  /** Told what is being done, and how far it is. */
  readonly progress: (what: string, count: number) => void;
}

/** What came of it. */
export interface ArchiveResult {
  /** What the file holds; null: there was nothing to archive. */
  readonly archived: Contents | null;
  /** An archive that was made before, and is now removed from the ledger too. */
  readonly finished: { readonly file: string; readonly lastSeq: number } | null;
  /** The entry behind which nothing was archived, because it still owes deliveries. */
  readonly waitsFor: Waiting | null;
  readonly longestTransactionMs: number;
}

/** An entry that is not brought everywhere yet, and some of those whom it is owed to. */
export interface Waiting {
  readonly seq: number;
  readonly targets: readonly { id: string; kind: string; name: string; organization: string }[];
}

/**
 * Moves the oldest entries of the ledger to a file. The file is whole, checked and on disk before the
 * range is recorded as archived, and that is committed before anything is removed: each entry is in
 * the ledger or in a file at any moment, and a command that was killed is finished by the next one.
 */
export async function archive(archiving: Archiving): Promise<ArchiveResult> {
  const { reader, writes, file, signal } = archiving;
  const portions = createPortions(writes, signal);
  const result = (part: Partial<ArchiveResult>): ArchiveResult => ({
    ...{ archived: null, finished: null, waitsFor: null, ...part },
    longestTransactionMs: Math.round(portions.longestMs() * 10) / 10,
  });
  const last = await lastArchive(reader);
  const isInterrupted = last?.removed_at_ms === null && file !== undefined;
  const finished = isInterrupted ? { file: last.file, lastSeq: last.last_seq } : null;
  if (isInterrupted) {
    await remove(portions, last, archiving);
    // The very command that was interrupted is done.
    if (last.file === file) return result({ archived: await contentsOf(reader, last), finished });
  }

  const exporting = await nextRange(archiving, last);
  const made =
    file === undefined ? await look(reader, exporting) : await write(archiving, exporting, last);
  const waitsFor =
    made.unfinishedSeq === undefined ? null : await waitingFor(reader, made.unfinishedSeq);
  const { unfinishedSeq: _seq, ...contents } = made;
  const archived = contents.entries === 0 ? null : contents;
  if (archived !== null && file !== undefined) {
    await remove(portions, await commit(portions, archiving, archived, last), archiving);
  }
  return result({ archived, finished, waitsFor });
}

const remove = (portions: Portions, row: ArchivesTable, { progress, ...archivist }: Archiving) =>
  removeArchived(portions, row, archivist, (removed) => progress('rows removed', removed));

async function nextRange(
  { reader, beforeMs, signal, progress }: Archiving,
  last: ArchivesTable | undefined,
): Promise<Exporting> {
  const ends = await reader
    .selectFrom('ledger')
    .select(({ fn }) => fn.max('seq').as('newest'))
    .executeTakeFirst();
  return {
    firstSeq: (last?.last_seq ?? 0) + 1,
    // The newest stays, so that its number is never given again.
    lastSeq: (ends?.newest ?? 0) - 1,
    beforeMs,
    previousDigest: last?.digest ?? null,
    signal,
    progress: (entries) => progress('entries read', entries),
  };
}

/** Reads what would be archived. */
const look = (reader: Kysely<Tables>, exporting: Exporting) =>
  exportRange(reader, exporting, async () => undefined);

/** Makes the file, and reads it again: what is removed is what can be read there. */
async function write(
  { reader, file = '' }: Archiving,
  exporting: Exporting,
  last: ArchivesTable | undefined,
): Promise<Exported> {
  if (existsSync(file)) {
    if (last?.file !== file) return await takeUp(reader, file, exporting);
    throw new StartError(
      `${file} exists, and entries up to ${last.last_seq} are archived in it: choose another name with --to.`,
    );
  }
  const drafted = await draft(file);
  let exported: Exported;
  try {
    exported = await exportRange(reader, exporting, drafted.write);
    if (exported.entries === 0) return exported;
    await drafted.publish();
  } finally {
    await drafted.discard();
  }
  const { digest } = await checkArchive(file);
  if (digest !== exported.digest) throw new StartError(`${file} was changed while it was written.`);
  return exported;
}

/** An archive that was written whole, before it could be recorded, counts if it is of the next entries. */
async function takeUp(
  reader: Kysely<Tables>,
  file: string,
  exporting: Exporting,
): Promise<Exported> {
  const present = await checkArchive(file).catch(() => undefined);
  if (present?.firstSeq === exporting.firstSeq) {
    const lastSeq = Math.min(present.lastSeq, exporting.lastSeq);
    const { digest } = await look(reader, { ...exporting, lastSeq });
    if (digest === present.digest) {
      await settle(file);
      return { ...present, unfinishedSeq: undefined };
    }
  }
  throw new StartError(
    `${file} exists, and is not the archive of the next entries: choose another name with --to.`,
  );
}

/** What an archive holds, wherever its file is by now. */
async function contentsOf(reader: Kysely<Tables>, row: ArchivesTable): Promise<Contents> {
  const { first_seq, last_seq, last_at_ms, entries, deliveries, digest } = row;
  const previous = await reader
    .selectFrom('archives')
    .select('digest')
    .where('last_seq', '=', first_seq - 1)
    .executeTakeFirst();
  return {
    ...{ firstSeq: first_seq, lastSeq: last_seq, lastAtMs: last_at_ms },
    ...{ entries, deliveries, digest, previousDigest: previous?.digest ?? null },
  };
}

/** Records the range as archived: from then on it may be removed, and nothing else. */
async function commit(
  portions: Portions,
  { file = '', now }: Archiving,
  { firstSeq, lastSeq, lastAtMs, entries, deliveries, digest }: Contents,
  last: ArchivesTable | undefined,
): Promise<ArchivesTable> {
  return await portions.once(async (tx) => {
    if ((await lastArchive(tx))?.last_seq !== last?.last_seq) {
      throw new StartError(
        `Another process has archived these entries meanwhile: ${file} is not needed.`,
      );
    }
    const row: ArchivesTable = {
      ...{ first_seq: firstSeq, last_seq: lastSeq, last_at_ms: lastAtMs },
      ...{ entries, deliveries, digest, file },
      ...{ archived_at_ms: now(), told_organization_id: '', removed_at_ms: null },
    };
    await tx.insertInto('archives').values(row).execute();
    return row;
  });
}

/** Targets that are named, at the most. */
const TARGETS_MAX = 10;

async function waitingFor(reader: Kysely<Tables>, seq: number): Promise<Waiting> {
  const targets = await reader
    .selectFrom('deliveries')
    .innerJoin('targets', 'targets.id', 'deliveries.target_id')
    .innerJoin('revocables as organization', 'organization.id', 'targets.organization_id')
    .select(['targets.id', 'targets.kind', 'targets.name', 'organization.slug'])
    .where('seq', '=', seq)
    .where('acknowledged_at_ms', 'is', null)
    .where('closed_at_ms', 'is', null)
    .orderBy('target_id')
    .limit(TARGETS_MAX)
    .execute();
  return {
    seq,
    targets: targets.map(({ slug, ...target }) => ({ ...target, organization: slug ?? '' })),
  };
}
