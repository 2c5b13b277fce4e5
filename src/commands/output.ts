/** What a command answers: JSON for scripts, or lines for people. */
export function print(json: boolean | undefined, object: object, lines: readonly string[]): void {
  process.stdout.write(json ? `${JSON.stringify(object)}\n` : `${lines.join('\n')}\n`);
}
