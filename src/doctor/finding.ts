/** What a look at something came to. */
export interface Finding {
  /** What was looked at. */
  readonly check: string;
  /** `warning`: it works, and somebody should look. */
  readonly status: 'ok' | 'warning' | 'problem';
  readonly what: string;
  /** What to do about it. */
  readonly remedy?: string;
}

export const ok = (check: string, what: string): Finding => ({ check, status: 'ok', what });

export const warning = (check: string, what: string, remedy: string): Finding => ({
  ...{ check, status: 'warning', what, remedy },
});

export const problem = (check: string, what: string, remedy: string): Finding => ({
  ...{ check, status: 'problem', what, remedy },
});

/** What is wrong, or that nothing is. */
export const orOk = (check: string, wrong: readonly Finding[], well: string): Finding[] =>
  wrong.length > 0 ? [...wrong] : [ok(check, well)];
