import { validate as isUuid } from 'uuid';
import { type InputIssue, InvalidInput } from '../refusals.ts';
import { carriesSecret } from '../secrets.ts';
import type { Input, Kind } from './kind.ts';

/** The longest comment, in characters. */
export const COMMENT_MAX = 1_000;

/** What is wrong with a text before any database is asked; undefined where nothing is. */
function textProblem(text: string): string | undefined {
  if (text.includes('\0')) return 'Must not contain NUL';
  return text.isWellFormed() ? undefined : 'Must be well-formed Unicode';
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
export function checkComment(comment: string | undefined): InvalidInput | undefined {
  if (comment === undefined) return undefined;
  const message =
    textProblem(comment) ??
    (comment.length > COMMENT_MAX ? `At most ${COMMENT_MAX} characters` : undefined) ??
    (carriesSecret(comment)
      ? 'Carries what looks like a secret: the ledger is kept for good, so leave it out'
      : undefined);
  return message === undefined ? undefined : new InvalidInput([{ path: 'comment', message }]);
}
