import { styleText } from 'node:util';

/** What a terminal would not print but obey, or not show: escapes, line ends, what turns text round. */
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu;

/** A text that others wrote, as it is safe on a terminal: one line that shows what is in it. */
export const printable = (text: string): string =>
  text.replace(unprintable, (found) => `\\u{${found.codePointAt(0)?.toString(16)}}`);

/** JSON in one line that is safe on a terminal, and is read as what was given. */
export const safeJson = (value: unknown): string =>
  JSON.stringify(value).replace(unprintable, (found) =>
    found
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join(''),
  );

/** A cell: what others wrote, or that in a colour where the terminal has them. */
export type Cell = string | null | readonly [text: string, colour: 'green' | 'yellow' | 'red'];

const textOf = (cell: Cell): string =>
  printable((typeof cell === 'string' ? cell : cell?.[0]) || '-');

/** Prints rows below headings; what comes later is in line with it where it fits. */
export function createTable(...headings: string[]): (rows: readonly (readonly Cell[])[]) => void {
  const widths = headings.map((heading) => heading.length);
  let headed = false;
  return (rows) => {
    if (rows.length === 0) return;
    const lines: (readonly Cell[])[] = headed ? [...rows] : [headings, ...rows];
    headed = true;
    for (const row of lines) {
      row.forEach((cell, i) => {
        widths[i] = Math.max(widths[i] ?? 0, [...textOf(cell)].length);
      });
    }
    const line = (row: readonly Cell[]) =>
      row
        .map((cell, i) => {
          const text = textOf(cell);
          const blanks = ' '.repeat((widths[i] ?? 0) - [...text].length);
          const shown = typeof cell === 'object' && cell !== null ? styleText(cell[1], text) : text;
          return shown + blanks;
        })
        .join('  ')
        .trimEnd();
    write(lines.map((row) => `${line(row)}\n`).join(''));
  };
}

/** Aborted once nobody reads standard output any more: `head` has what it wanted. */
export const unread = new AbortController();

for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    if (stream === process.stdout) unread.abort();
  });
}

/** Writes to standard output for as long as somebody reads it; what a command does goes on. */
export function write(text: string): void {
  if (!unread.signal.aborted) process.stdout.write(text);
}

/** Tells people on standard error what scripts need not read. */
export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
