import type { FastifyBaseLogger } from 'fastify';

/** Something that the gateway depends on does not answer for now: asking again later may help. */
export class Unavailable extends Error {
  override readonly name: string = 'Unavailable';
}

/** What was done at the same time does not go together with it: the same once more may. */
export class Conflict extends Unavailable {
  override readonly name = 'Conflict';
}

/** More is asked than there is time for. */
export class Overloaded extends Unavailable {
  override readonly name = 'Overloaded';
}

/** What was opened is no more what its path leads to: nothing written there would be found again. */
export class Replaced extends Unavailable {
  override readonly name = 'Replaced';
}

/** What `Retry-After` says with such an answer, in seconds. */
export const RETRY_AFTER_S = 1;

/** SQLite's codes for a database that cannot be used now, and may be once somebody has seen to it. */
const temporary = /^SQLITE_(BUSY|LOCKED|FULL|IOERR|READONLY|CANTOPEN|CORRUPT|NOTADB)/;

/** Whether asking again later may help, since the cause lies outside the gateway. */
export function isUnavailable(error: unknown): boolean {
  return error instanceof Unavailable || temporary.test(codeOf(error));
}

/** Whether another process holds the database at the moment. */
export const isBusy = (error: unknown): boolean => /^SQLITE_(BUSY|LOCKED)/.test(codeOf(error));

const MANUAL = 'docs/operations.md#when-the-database-fails says more';

/** By SQLite's codes, what somebody has to do. */
const remedies: readonly [code: RegExp, remedy: string][] = [
  [/^SQLITE_FULL/, 'make room on the disk of the database; the gateway then goes on by itself'],
  [
    /^SQLITE_(READONLY|CANTOPEN|PERM)/,
    'make the database file, its -wal and -shm files and their folder readable and writable for this user',
  ],
  [
    /^SQLITE_(CORRUPT|NOTADB)/,
    'the file is damaged, or is no SQLite database: stop the gateway, look at the file with ' +
      '"PRAGMA integrity_check", and put your newest backup in its place',
  ],
  [/^SQLITE_IOERR/, 'look at the disk, its free space and the log of the system'],
];

/** What somebody has to do about a database that waiting alone does not mend; undefined where it may. */
export function remedyFor(error: unknown): string | undefined {
  if (error instanceof Replaced) {
    return (
      'put the files that were there back, or start the gateway again to serve those that are there now; ' +
      MANUAL
    );
  }
  const remedy = remedies.find(([code]) => code.test(codeOf(error)))?.[1];
  return remedy === undefined ? undefined : `${remedy}; ${MANUAL}`;
}

/** Logs what was answered with 503: as an error, where somebody must see to it. */
export function logUnavailable(log: FastifyBaseLogger, error: unknown): void {
  // Each line would be more to do.
  if (error instanceof Overloaded) return;
  const remedy = remedyFor(error);
  if (remedy === undefined) log.warn({ err: error }, 'unavailable');
  else log.error({ err: error, remedy }, 'unavailable');
}

const codeOf = (error: unknown): string => String((error as { code?: unknown } | null)?.code);
