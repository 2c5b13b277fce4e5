/** How a command ends whose question was answered with no: nothing failed. */
export const EXIT_NO = 3;

/** What the commands that speak to a gateway end with, for their help. */
export const exitCodes = (done: string, no?: string): string =>
  [
    '',
    'Ends with',
    `  0  ${done}`,
    '  1  it failed: no connection, no valid token, bad usage, a fault',
    ...(no === undefined ? [] : [`  ${EXIT_NO}  ${no}`]),
    '',
    'docs/terminal.md says more.',
  ].join('\n');
