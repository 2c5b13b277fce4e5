/** Something that the gateway depends on does not answer for now: asking again later may help. */
export class Unavailable extends Error {
  override readonly name: string = 'Unavailable';
}

/** What was done at the same time does not go together with it: the same once more may. */
export class Conflict extends Unavailable {
  override readonly name = 'Conflict';
}

/** What `Retry-After` says with such an answer, in seconds. */
export const RETRY_AFTER_S = 1;

/** SQLite's codes for a database that cannot be used now, and may be later. */
const temporary = /^SQLITE_(BUSY|LOCKED|FULL|IOERR|READONLY|CANTOPEN)/;

/** Whether asking again later may help, since the cause lies outside the gateway. */
export function isUnavailable(error: unknown): boolean {
  return error instanceof Unavailable || temporary.test(codeOf(error));
}

/** Whether another process holds the database at the moment. */
export const isBusy = (error: unknown): boolean => /^SQLITE_(BUSY|LOCKED)/.test(codeOf(error));

const codeOf = (error: unknown): string => String((error as { code?: unknown } | null)?.code);
