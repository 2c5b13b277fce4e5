import { validate as isUuid } from 'uuid';
import { isPermission, permissions } from '../permissions.ts';
import { type InputIssue, InvalidInput } from '../refusals.ts';
import { carriesSecret, isPlainText } from '../secrets.ts';
import type { Input, Kind } from './kind.ts';

/** The longest comment, in characters. */
export const COMMENT_MAX = 1_000;
/** The longest name of anything that is made, in characters. */
export const NAME_MAX = 200;
const SLUG_MAX = 100;
/** Permissions or scopes that one thing can have: they are part of every JWT that it gets. */
export const PERMISSIONS_MAX = 100;

const slugPattern = /^[a-z0-9][a-z0-9-]*[a-z0-9]$/;

/** What is wrong with a text before any database is asked; undefined where nothing is. */
function textProblem(text: string): string | undefined {
  if (text.includes('\0')) return 'Must not contain NUL';
  return text.isWellFormed() ? undefined : 'Must be well-formed Unicode';
}

/** One problem with one field, where there is one. */
export const problem = (path: string, message: string | undefined): InvalidInput | undefined =>
  message === undefined ? undefined : new InvalidInput([{ path, message }]);

/** All problems of several checks together. */
export function together(...checks: (InvalidInput | undefined)[]): InvalidInput | undefined {
  const issues = checks.flatMap((invalid) => invalid?.issues ?? []);
  return issues.length === 0 ? undefined : new InvalidInput(issues);
}

/** Says no to texts, however deep they lie, that no database can hold. */
export function checkTexts(given: unknown): InvalidInput | undefined {
  const issues: InputIssue[] = [];
  const path: string[] = [];
  const look = (value: unknown): void => {
    if (typeof value === 'string') {
      const message = textProblem(value);
      if (message !== undefined) issues.push({ path: path.join('.'), message });
    } else if (typeof value === 'object' && value !== null) {
      for (const name of Object.keys(value)) {
        path.push(name);
        look((value as Record<string, unknown>)[name]);
        path.pop();
      }
    }
  };
  look(given);
  return issues.length === 0 ? undefined : new InvalidInput(issues);
}

/** Says no to an input that can name nothing, whatever the database holds. */
export function checkInput<Field extends string>(
  kind: Pick<Kind<Field>, 'input'>,
  input: Input<Field>,
): InvalidInput | undefined {
  const issues: InputIssue[] = [];
  for (const field of Object.keys(kind.input) as Field[]) {
    const malformedUuid = kind.input[field].uuid && !isUuid(input[field]);
    const message = malformedUuid ? 'Invalid UUID format' : textProblem(input[field]);
    if (message !== undefined) issues.push({ path: field, message });
  }
  return issues.length === 0 ? undefined : new InvalidInput(issues);
}

/** Says no to a comment that does not belong in a ledger that nobody can edit. */
export function checkComment(
  comment: string | undefined,
  path = 'comment',
): InvalidInput | undefined {
  if (comment === undefined) return undefined;
  const message =
    textProblem(comment) ??
    (comment.length > COMMENT_MAX ? `At most ${COMMENT_MAX} characters` : undefined) ??
    (carriesSecret(comment)
      ? 'Carries what looks like a secret: the ledger is kept for good, so leave it out'
      : undefined);
  return problem(path, message);
}

/** Says no to names that would be odd to read, or that give a secret away. */
export function checkName(path: string, name: string): InvalidInput | undefined {
  if (name.length > NAME_MAX || !isPlainText(name)) {
    return problem(path, `Must be 1 to ${NAME_MAX} characters, none of them a control character`);
  }
  return problem(path, carriesSecret(name) ? 'Carries what looks like a secret' : undefined);
}

/** Says no to names that are part of a path and that a path could not hold. */
export const checkPathName = (path: string, name: string): InvalidInput | undefined =>
  checkName(path, name) ??
  problem(
    path,
    /[/\\?#%]/.test(name) || name.trim() !== name || /^\.+$/.test(name)
      ? 'Must have none of / \\ ? # %, no blank at either end, and more than dots'
      : undefined,
  );

/** Says no to slugs that are not Kaiten's: `a-z`, `0-9` and `-`. */
export const checkSlug = (path: string, slug: string): InvalidInput | undefined =>
  problem(
    path,
    slug.length <= SLUG_MAX && slugPattern.test(slug)
      ? undefined
      : `Must be 2 to ${SLUG_MAX} of a-z, 0-9 and "-", with no "-" at either end`,
  );

/** A slug for a name that came without one; it may be no good. */
export const slugOf = (name: string): string =>
  name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, SLUG_MAX)
    .replace(/^-+|-+$/g, '');

/** Says no to what ends before it begins. */
export const checkExpiry = (
  path: string,
  expiresAtMs: number | null | undefined,
  nowMs: number,
): InvalidInput | undefined =>
  problem(path, expiresAtMs != null && expiresAtMs <= nowMs ? 'Lies in the past' : undefined);

/** Says no to lists of permissions that hold something else. */
export function checkPermissions(path: string, given: readonly string[]): InvalidInput | undefined {
  const unknown = given.filter((permission) => !isPermission(permission));
  if (unknown.length === 0) return checkCount(path, given);
  // What is no permission may be a secret that was pasted.
  const shown = unknown.map((text) => (carriesSecret(text) ? '(a secret)' : text));
  return problem(
    path,
    `Not a permission: ${shown.join(', ')}. There are ${permissions.join(', ')}`,
  );
}

/** Says no to lists of permissions or scopes that are too long, or say something twice. */
export const checkCount = (path: string, given: readonly string[]): InvalidInput | undefined =>
  problem(
    path,
    given.length > PERMISSIONS_MAX || new Set(given).size < given.length
      ? `Must be at most ${PERMISSIONS_MAX}, each once`
      : undefined,
  );
