import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { until } from './enforcement.ts';
import { page } from './markdown.ts';
import { launch, newFolder, root, type Settings } from './processes.ts';

/** What deploy/Containerfile runs, in a folder in place of two containers: needs npm and its registry. */

const lines = page('deploy/Containerfile')
  .replaceAll(/\\\n\s*/g, '')
  .split('\n');

/** What follows an instruction, wherever it is given. */
const given = (instruction: string) =>
  lines
    .filter((line) => line.startsWith(`${instruction} `))
    .map((line) => line.slice(instruction.length + 1).replaceAll(/--mount=\S+ +/g, ''));

/** The machine's own npm, which may be no part of what npm ci has installed here. */
const machine = (process.env.PATH ?? '')
  .split(delimiter)
  .filter((each) => !each.includes('node_modules'));

/** `npm ci` leaves what its script "prepare" builds; the cache of the machine stays; all else npm does itself. */
const npm = `#!/bin/sh
case "$1" in
  ci) [ $# -gt 1 ] || cp -R '${join(root, 'dist')}' . ;;
  cache) ;;
  *) PATH='${machine.join(delimiter)}' exec npm "$@" ;;
esac
`;

const places = /(?<![\w*])\/(?=(?:src|package|opt|data)\b)/g;

test('the image is built, and serves', async () => {
  const folder = newFolder();
  const at = (path: string) => join(folder, path);
  const there = (text: string) => text.replaceAll(places, at('/'));
  const [source = '', home = ''] = given('WORKDIR').map((path) => there(path));
  for (const path of [at('bin'), source, home]) mkdirSync(path, { recursive: true });
  writeFileSync(at('bin/npm'), npm, { mode: 0o755 });
  const { files } = JSON.parse(page('package.json')) as { files: string[] };
  for (const name of ['package.json', 'README.md', 'LICENSE', ...files]) {
    if (name !== 'dist') cpSync(join(root, name), join(source, name), { recursive: true });
  }
  const env = {
    ...{ ...process.env, PATH: [at('bin'), ...machine].join(delimiter) },
    npm_config_prefer_offline: 'true',
  };
  const [build = '', install = '', own = '', ...more] = given('RUN');
  for (const [command, cwd] of [[build, source] as const, [install, home] as const]) {
    expect(command).toMatch(/^npm /);
    await promisify(execFile)('sh', ['-c', there(command)], { cwd, env });
  }
  expect(readdirSync(at('package'))).toHaveLength(1);
  // The image has its own Node.js.
  expect(readdirSync(join(home, 'node_modules'))).not.toContain('node');
  expect([own, ...more]).toEqual(['install -d -o node -g node -m 0700 /data']);
  mkdirSync(at('data'), { mode: 0o700 });

  const assignments = given('ENV').flatMap((text) => [...text.matchAll(/(\w+)=(\S+)/g)]);
  const settings: Settings = Object.fromEntries(
    assignments.map(([, name = '', value = '']) => [name, there(value)]),
  );
  const PATH = settings.PATH?.replace('$PATH', [dirname(process.execPath), '/bin'].join(delimiter));
  const command = ['ENTRYPOINT', 'CMD'].flatMap(
    (instruction) => JSON.parse(given(instruction)[0] ?? '') as string[],
  );
  const { child, output, ended } = launch(
    'sh',
    ['-c', 'exec "$@"', 'sh', ...command],
    { ...settings, PATH: PATH ?? '', PORT: '0' },
    home,
  );
  await until(() => {
    if (child.exitCode !== null) throw new Error(output.stderr);
    return output.stdout.includes('Revocation gateway at');
  });
  const port = /Revocation gateway at http:\/\/\S+:(\d+)/.exec(output.stdout)?.[1];
  expect((await fetch(`http://127.0.0.1:${port}/health/ready`)).status).toBe(200);
  child.kill('SIGTERM');
  expect(await ended).toMatchObject({ code: 0, stderr: '' });
  expect(readdirSync(at('data')).sort()).toEqual(['gateway.db', 'secret.key']);
}, 120_000);
