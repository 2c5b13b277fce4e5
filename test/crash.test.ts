import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { engine } from './engine.ts';
import { launch, root } from './processes.ts';

/** A few rounds of `npm run test:crash`: what was answered survives `kill -9`. */

const run = (...args: string[]) => {
  const env = { PATH: process.env.PATH ?? '', TMPDIR: tmpdir() };
  return launch(process.execPath, [join(root, 'test/crash.ts'), ...args], env).ended;
};

test('killed at random under load, nothing that was answered is lost', async () => {
  const { code, stdout, stderr } = await run('--engine', engine, '--rounds', '6', '--json');
  expect(code, `${stdout}\n${stderr}`).toBe(0);
  const { results } = JSON.parse(stdout);
  expect(results).toEqual([expect.objectContaining({ engine, rounds: 6, problems: [] })]);
  const [result] = results;
  expect(result.answered).toBeGreaterThan(6);
  // The crashes met requests on their way.
  expect(result.unanswered + result.unavailable).toBeGreaterThan(0);
}, 120_000);

test('its options are said, and held to', async () => {
  const help = await run('--help');
  for (const option of ['--rounds', '--engine', '--seed', '--json']) {
    expect(help.stdout).toContain(option);
  }
  const wrong = await run('--engine', 'none');
  expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining('Allowed choices')]);
});
