import { createContext, Script } from 'node:vm';
import picomatch from 'picomatch';

/**
 * Time that the patterns of one login may take together, in milliseconds. Whoever writes both a
 * pattern and a claim could have them take for ever: what is not decided by then does not match.
 */
export const MATCH_TIMEOUT_MS = 100;

/** Whether one of the texts is, or matches, one of the patterns. */
export type Matches = (texts: readonly string[], patterns: readonly string[]) => boolean;

const isGlob = /[*?[\]{}()!\\]/;

/** Makes the matcher of one login: equality, or a glob as picomatch reads it. */
export function createMatcher(): Matches {
  let leftMs = MATCH_TIMEOUT_MS;

  return (texts, patterns) => {
    if (texts.some((text) => patterns.includes(text))) return true;
    const globs = patterns.filter((pattern) => isGlob.test(pattern));
    if (globs.length === 0) return false;
    const begunMs = performance.now();
    const matched = within(leftMs, () =>
      globs.some((glob) => {
        const fits = picomatch(glob, { windows: false });
        return texts.some((text) => fits(text));
      }),
    );
    // A timer may ring a little early: what was used up is used up.
    leftMs = matched === undefined ? 0 : leftMs - (performance.now() - begunMs);
    return matched ?? false;
  };
}

const context = createContext({ job: (): boolean => false });
const script = new Script('job()');

/** Runs a job that may not end by itself; undefined where it has not ended in time. */
function within(timeoutMs: number, job: () => boolean): boolean | undefined {
  const timeout = Math.floor(timeoutMs);
  if (timeout < 1) return undefined;
  context.job = job;
  try {
    return script.runInContext(context, { timeout }) as boolean;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return undefined;
    throw error;
  }
}
