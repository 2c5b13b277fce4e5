import pg from 'pg';
import { StartError } from '../start-error.ts';
import { remedyFor } from '../unavailable.ts';

/** By codes of the file system, of SQLite and of PostgreSQL: what whoever starts the gateway can do. */
const remedies: readonly [code: RegExp, remedy: string][] = [
  [
    /^(?:EACCES|EPERM|EROFS)$/,
    'make the file, and the folder that it is in, readable and writable for this user',
  ],
  [
    /^SQLITE_(?:BUSY|LOCKED)/,
    'another process holds it: end that one, or start again once it is done',
  ],
  [/^28/, 'correct the user and the password in DATABASE_URL, or let this user in'],
  [/^3D000$/, 'make the database that DATABASE_URL names, or point it to another'],
  [/^42501$/, 'give the user in DATABASE_URL the right to make tables there'],
  [/^25006$/, 'point DATABASE_URL to the primary: this server is a standby, or takes no writes'],
  [/^(?:08|53|57|58)/, 'start again once the server is ready for connections'],
];

const OTHER = 'point DATABASE_URL to a database of this gateway, and run the newest version on it';
const UNREACHABLE =
  'see that the server runs, and that DATABASE_URL has its address, user and password';

/** Why the gateway does not start on its database, and what to do. */
export function startProblem(what: string, error: unknown): StartError {
  if (error instanceof StartError) return error;
  const cause = causeOf(error);
  const code = String((cause as { code?: unknown }).code ?? '');
  const remedy =
    remedies.find(([pattern]) => pattern.test(code))?.[1] ??
    remedyFor(cause) ??
    (isOfConnection(cause, code) ? UNREACHABLE : OTHER);
  return new StartError(`${what} (${messageOf(cause)}): ${remedy}.`, { cause: error });
}

/** What has happened itself: the gateway's own errors have it within. */
function causeOf(error: unknown): Error {
  const { cause } = error as { cause?: unknown };
  return cause instanceof Error ? causeOf(cause) : (error as Error);
}

/** Of an address with several, Node says what happened to each, and nothing in all. */
function messageOf(error: Error): string {
  if (!(error instanceof AggregateError) || error.message !== '') return error.message;
  return error.errors.map((each: Error) => each.message).join(', ');
}

/** The driver has no class for a connection that cannot be made, or is lost. */
const isOfConnection = (error: Error, code: string): boolean =>
  !(error instanceof pg.DatabaseError) &&
  (/^E[A-Z]+$/.test(code) || /connection|timeout/i.test(error.message)) &&
  !code.startsWith('SQLITE_') &&
  !fileCodes.has(code);

const fileCodes = new Set(['ENOENT', 'ENOTDIR', 'EISDIR', 'ELOOP', 'ENAMETOOLONG']);
