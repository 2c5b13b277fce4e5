import { statSync } from 'node:fs';
import { Replaced } from '../unavailable.ts';

/** How long reads may go on before it is looked whether the files are still those that were opened. */
const LOOK_MS = 1_000;

/** Holds that what is open is still what the path of the database leads to. */
export interface SameFiles {
  /** Throws where it is not. */
  check(): void;
  /** The same, at most once in a while: for what only reads. */
  checkSometimes(): void;
}

/**
 * Remembers the files of an SQLite database that is open. Whoever removes or replaces one of them leaves
 * the gateway with a file that nobody finds again: SQLite goes on writing to it without a word.
 */
export function rememberFiles(file: string): SameFiles {
  const files = ['', '-wal', '-shm'].map((suffix) => file + suffix);
  const opened = files.map(identityOf);
  let lookedAtMs = performance.now();

  function check(): void {
    for (const [i, path] of files.entries()) {
      if (opened[i] !== undefined && identityOf(path) !== opened[i]) {
        throw new Replaced(
          `The file ${path} was removed or replaced while the gateway had it open`,
        );
      }
    }
    lookedAtMs = performance.now();
  }

  return {
    check,
    checkSometimes() {
      if (performance.now() - lookedAtMs >= LOOK_MS) check();
    },
  };
}

/** What tells a file from every other of the machine; undefined where there is none to be seen. */
function identityOf(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path);
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}
