import { type Effects, reached, sayWhereNot } from './effects.ts';
import { EXIT_NO } from './exit-codes.ts';
import { Unanswered } from './request.ts';
import { type Cell, createTable, safeJson, say, write } from './screen.ts';

/** What came of revoking one thing. */
export interface Revoked {
  /** What was given: an id, or which of the values. */
  readonly given: string;
  /** `REVOKED`, or the code of the error. */
  readonly outcome: string;
  /** What a value turned out to be. */
  readonly found?: { readonly kind: string; readonly target: string } | undefined;
  readonly revocationId: string | null;
  readonly revokedAt: string | null;
  /** Why not. */
  readonly message: string | null;
}

/** Who asks for what is revoked already has what they want. */
const isRevoked = ({ outcome }: Revoked) => outcome === 'REVOKED' || outcome === 'ALREADY_REVOKED';

const colours = { REVOKED: 'green', ALREADY_REVOKED: 'yellow' } as const;

/** Takes what came of some, and where it has reached. */
export type Add = (rows: readonly Revoked[], effects?: Effects) => void;

/**
 * Prints what came of it as it comes, and at the end, whatever the end is, how much of it; sets the exit
 * code.
 *
 * @param given how many there are
 */
export async function report(
  what: 'id' | 'value',
  { json, given }: { json: boolean | undefined; given: number },
  work: (add: Add) => Promise<void>,
): Promise<void> {
  const found = what === 'value' ? ['KIND', 'FOUND'] : [];
  const headings = [what.toUpperCase(), 'OUTCOME', 'REVOKED AT', 'TARGETS', ...found, 'WHY NOT'];
  const table = createTable(...headings);
  const counts = new Map<string, number>();
  let attempted = 0;

  const cells = (row: Revoked, effects: Effects): Cell[] => {
    const targets = reached(effects.get(row.revocationId ?? ''));
    const told = targets?.total === 0 ? 'none' : `${targets?.reached} of ${targets?.total}`;
    return [
      row.given,
      [row.outcome, colours[row.outcome as 'REVOKED'] ?? 'red'],
      row.revokedAt,
      targets && told,
      ...(what === 'value' ? [row.found?.kind ?? null, row.found?.target ?? null] : []),
      isRevoked(row) ? null : row.message,
    ];
  };
  const line = ({ given, ...row }: Revoked, effects: Effects): string => {
    const targets = reached(effects.get(row.revocationId ?? ''));
    return `${safeJson({ [what]: given, ...row, targets })}\n`;
  };

  const add: Add = (rows, effects = new Map()) => {
    attempted += rows.length;
    for (const { outcome } of rows) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
    if (rows.some((row) => !isRevoked(row))) process.exitCode = EXIT_NO;
    if (json) write(rows.map((row) => line(row, effects)).join(''));
    else table(rows.map((row) => cells(row, effects)));
    sayWhereNot(effects);
  };
  const sum = () => {
    const said = (count: number, word: string) => `${count.toLocaleString('en')} ${word}`;
    const parts = [...counts].map(([outcome, count]) => said(count, outcome));
    if (attempted < given) parts.push(said(given - attempted, 'not known'));
    say(`${parts.join(', ')}.`);
  };

  try {
    await work(add);
    sum();
  } catch (error) {
    const asked = attempted > 0 || (error instanceof Unanswered && error.passing);
    if (asked) {
      sum();
      say('The same command, run again, does the rest.');
    }
    throw error;
  }
}
