import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { carriesSecret } from '../../secrets.ts';
import { StartError } from '../../start-error.ts';

/** Stands for standard input where a file is asked for. */
export const STDIN = '-';

/** The lines of a file, or of standard input, without blanks around them and without empty ones. */
export async function readLines(file: string): Promise<string[]> {
  return (await read(file))
    .split(/\r\n|\n|\r/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

async function read(file: string): Promise<string> {
  if (file === STDIN) return await text(process.stdin);
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    // Where it is printed it is one more place that has it.
    if (carriesSecret(file)) throw given();
    throw new StartError(`Cannot read ${file} (${(error as NodeJS.ErrnoException).code}).`);
  }
}

const given = () =>
  new StartError(
    'A secret is never an argument: whoever is on this machine sees it in ps, and the shell keeps it. ' +
      'Pipe it in, put it in a file, or have it asked for.',
  );

/**
 * Secrets from a file, from standard input, or from whoever is at the terminal; one a line.
 *
 * @param file what was said of where they are; `true` and undefined: nothing
 */
export async function readSecrets(file: string | true | undefined): Promise<string[]> {
  const asked = typeof file !== 'string' && process.stdin.isTTY;
  const secrets = asked ? [await ask('The value (not shown): ')] : await readLines(nameOf(file));
  if (secrets.join('') === '') throw new StartError('There is no value: nothing was given.');
  return secrets;
}

const nameOf = (file: string | true | undefined) => (typeof file === 'string' ? file : STDIN);

/** Asks whoever is at the terminal, and shows nothing of the answer. */
async function ask(question: string): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({
    ...{ input: process.stdin, output: nowhere, terminal: true, historySize: 0 },
  });
  process.stderr.write(question);
  try {
    return await new Promise<string>((answered, refused) => {
      lines.once('line', (line) => answered(line.trim()));
      lines.once('close', () => refused(new StartError('Nothing was given.')));
      lines.once('SIGINT', () => lines.close());
    });
  } finally {
    lines.close();
    process.stderr.write('\n');
  }
}
