import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { launch, root } from './processes.ts';

/** What is measured can be measured: the command runs, and what it counts adds up. */

const run = (...args: string[]) => {
  const env = { PATH: process.env.PATH ?? '', TMPDIR: tmpdir() };
  return launch(process.execPath, [join(root, 'bench/time-to-effect.ts'), ...args], env).ended;
};

test('time to effect: every revocation reaches every point, and stays', async () => {
  const { code, stdout, stderr } = await run('--count', '60', '--points', '2', '--json');
  expect([code, stderr]).toEqual([0, '']);
  const result = JSON.parse(stdout);
  expect(result).toMatchObject({ revocations: 60, acceptedAfter: 0 });
  expect(result.points).toHaveLength(2);
  for (const times of [result.everywhere, result.rest, ...result.points]) {
    expect(times.p50).toBeGreaterThan(0);
    expect(times.p99).toBeGreaterThanOrEqual(times.p50);
    expect(times.max).toBeGreaterThanOrEqual(times.p99);
  }
});

test('its options are said, and held to', async () => {
  const help = await run('--help');
  for (const option of ['--count', '--points', '--concurrency', '--rate', '--json']) {
    expect(help.stdout).toContain(option);
  }
  const wrong = await run('--count', '0');
  expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining('whole number')]);
});
