import { execFile } from 'node:child_process';
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { Demo } from '../db/demo.ts';
import { makePoint, until } from './enforcement.ts';
import { blocks, page, section } from './markdown.ts';
import { launch, root } from './processes.ts';

/** The package, as `npm pack` makes it, in a folder that had nothing before: needs npm and its registry. */

const folder = mkdtempSync(join(tmpdir(), 'gateway-package-'));
const project = join(folder, 'project');
const installed = join(project, 'node_modules/revocation-gateway');
const bin = join(project, 'node_modules/.bin/revocation-gateway');
/** Whatever Node.js the machine has, or none: what npm ci has installed here is not on it. */
const machine = (process.env.PATH ?? '')
  .split(delimiter)
  .filter((each) => !each.includes('node_modules'))
  .join(delimiter);
/** Nothing is set but the port: what the gateway makes lies in the folder that it is started in. */
const settings = { PATH: machine, HOME: process.env.HOME ?? folder, PORT: '0' };
/** As in a script of the project itself. */
const within = {
  ...settings,
  PATH: [join(project, 'node_modules/.bin'), machine].join(delimiter),
};

const [install = '', serve = ''] =
  blocks(section(page('README.md'), '## As a package'))[0]
    ?.code.trimEnd()
    .split('\n') ?? [];

/** Runs what must succeed; says what it prints. */
async function run(
  program: string,
  args: readonly string[],
  { cwd = project, env = settings as NodeJS.ProcessEnv } = {},
): Promise<string> {
  return (await promisify(execFile)(program, args, { cwd, env })).stdout;
}

const npm = { ...process.env, PATH: machine, npm_config_prefer_offline: 'true' };

/** Whether git may know it. */
const isSource = (path: string) =>
  !['node_modules', 'dist', 'data', '.git'].some((name) => path === join(root, name)) &&
  !path.endsWith('bench/node_modules');

beforeAll(async () => {
  const clone = join(folder, 'revocation-gateway');
  mkdirSync(project);
  // In a copy, since it builds: other tests run what was built here.
  cpSync(root, clone, { recursive: true, filter: isSource });
  symlinkSync(join(root, 'node_modules'), join(clone, 'node_modules'));
  await run('npm', ['pack'], { cwd: clone, env: npm });
  await run('sh', ['-c', install], { env: npm });
}, 300_000);

afterAll(() => rmSync(folder, { recursive: true }));

test('it has the compiled code and the pages, and nothing of this machine', () => {
  const files = globSync('**', { cwd: installed }).filter((file) =>
    statSync(join(installed, file)).isFile(),
  );
  const places = new Set(files.map((file) => /^(?:dist.)?[^/\\]+/.exec(file)?.[0]));
  expect([...places].sort()).toEqual([
    ...[
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'SECURITY.md',
      'bin',
      'deploy',
      'dist/gateway',
      'dist/verifier',
    ],
    ...['docs', 'openapi.json', 'package.json', 'schema.graphql'],
  ]);
  const texts = files.map((file) => readFileSync(join(installed, file), 'utf8'));
  expect(files.filter((_file, i) => texts[i]?.includes(root))).toEqual([]);
  expect(texts.join('').length).toBeLessThan(10 * 1024 ** 2);
});

test.each(['revocation-gateway', 'gateway'])('npx %s --help names every command', async (name) => {
  const help = await run('npx', [name, '--help']);
  for (const [, command = ''] of page('README.md').matchAll(/npm run gateway -- ([a-z-]+)/g)) {
    expect(help).toContain(`\n  ${command} `);
  }
  expect(help).toContain('npx revocation-gateway COMMAND\n');
});

test('what it serves revokes, and what the verifier then says', async () => {
  const demo: Demo = JSON.parse(await run('npx', ['revocation-gateway', 'demo', '--json']));
  const { child, output, ended } = launch('sh', ['-c', serve], settings, project);
  let pid = Number.NaN;
  onTestFinished(() => {
    // npx passes no signal on.
    if (child.exitCode === null && pid > 0) process.kill(pid, 'SIGKILL');
  });
  await until(() => {
    if (child.exitCode !== null) throw new Error(output.stderr);
    pid = Number(/"pid":(\d+),.*Server listening/.exec(output.stdout)?.[1]);
    return pid > 0 && output.stdout.includes('To try it:');
  });
  const url = /Revocation gateway at (\S+)/.exec(output.stdout)?.[1] ?? '';
  expect(output.stdout).toContain('npx revocation-gateway organization create SLUG\n');
  expect(existsSync(join(project, 'data/gateway.db'))).toBe(true);
  const graphiql = await fetch(`${url}/graphql`, { headers: { accept: 'text/html' } });
  expect(await graphiql.text()).toContain('npx revocation-gateway token --help');

  const document = await (await fetch(`${url}/openapi.json`)).text();
  expect(document).toContain('"openapi":"3.1.');
  for (const file of ['page-script.js', 'swagger-ui-bundle.js', 'swagger-ui.css']) {
    expect([file, (await fetch(`${url}/docs/api/${file}`)).status]).toEqual([file, 200]);
  }

  const { admin } = demo.callers;
  const { token } = await makePoint({ url, admin });
  writeFileSync(
    join(project, 'look.mts'),
    example('Without a framework').replace('http://localhost:8080', url),
  );
  const look = (credential = '') =>
    run('node', ['look.mts', credential], { env: { ...within, POINT_TOKEN: token } });
  const [key, other] = demo.apiKey;
  expect(await look(key?.key)).toBe('good, of acme\n');
  const revoked = await fetch(
    `${url}/api/v1/applications/${key?.applicationId}/api-keys/${key?.keyId}`,
    { method: 'DELETE', headers: { authorization: `Bearer ${admin}` } },
  );
  expect([revoked.status, await revoked.json()]).toEqual([200, {}]);
  expect(await look(key?.key)).toBe('invalid\n');
  expect(await look(other?.key)).toBe('good, of acme\n');

  process.kill(pid, 'SIGTERM');
  expect((await ended).code).toBe(0);
});

const example = (heading: string) =>
  blocks(section(page('docs/verifier.md'), `## ${heading}`)).find(
    ({ language }) => language === 'ts',
  )?.code ?? '';

const entries = ['verifier', 'verifier/express', 'verifier/fastify', 'verifier/hono'].map(
  (entry) => `revocation-gateway/${entry}`,
);

test('the verifier loads nothing of the server', async () => {
  writeFileSync(
    join(project, 'loaded.mjs'),
    `import { registerHooks } from 'node:module';
    registerHooks({ load(url, context, next) { console.log(url); return next(url, context); } });
    for (const entry of ${JSON.stringify(entries)}) await import(entry);`,
  );
  const loaded = (await run('node', ['loaded.mjs'], { env: within })).trim().split('\n');
  const from = loaded
    .filter((url) => !url.startsWith('node:'))
    .map((url) => /node_modules\/(revocation-gateway\/dist\/\w+|[^/]+)/.exec(url)?.[1]);
  expect([...new Set(from)].sort()).toEqual([
    ...['eventsource-parser', 'jose', 'lru-cache', 'revocation-gateway/dist/verifier'],
  ]);
});

test('the examples have no faults of types, however they are resolved', async () => {
  const { dependencies, devDependencies } = JSON.parse(page('package.json'));
  const named = { ...dependencies, ...devDependencies };
  const frameworks = ['fastify', 'express', 'hono', '@hono/node-server'];
  const packages = [...frameworks, '@types/express', '@types/node'];
  await run('npm', ['install', ...packages.map((name) => `${name}@${named[name]}`)], { env: npm });
  writeFileSync(
    join(project, 'misuse.mts'),
    `import { createVerifier } from 'revocation-gateway/verifier';
    // @ts-expect-error: a number is no address
    createVerifier({ url: 1, token: 'x', whenStale: 'strict' });`,
  );
  for (const heading of ['Fastify', 'Express', 'Hono', 'Without a framework']) {
    writeFileSync(join(project, `${heading.split(' ')[0]}.mts`), example(heading));
  }
  const { compilerOptions } = JSON.parse(page('tsconfig.json'));
  for (const [module, moduleResolution] of [
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ]) {
    // Hono's own declarations need those of the DOM.
    const libraries = { lib: ['esnext', 'dom'], skipLibCheck: false };
    const options = { ...compilerOptions, ...libraries, module, moduleResolution };
    writeFileSync(
      join(project, 'tsconfig.json'),
      JSON.stringify({ compilerOptions: options, include: ['*.mts'] }),
    );
    const said = launch('node', [join(root, 'node_modules/typescript/bin/tsc')], within, project);
    expect([moduleResolution, (await said.ended).stdout]).toEqual([moduleResolution, '']);
  }
}, 120_000);

test('an old Node is told what to do', async () => {
  const pretend = `data:text/javascript,Object.defineProperty(process, 'versions', {
    value: { ...process.versions, node: '22.0.0' },
  })`;
  const ended = await launch(process.execPath, ['--import', pretend, bin], settings).ended;
  expect(ended).toMatchObject({ code: 1, stdout: '' });
  expect(ended.stderr).toMatch(
    /^The revocation gateway needs Node\.js 24 .*npm install node@24.*\.\n$/,
  );
});
