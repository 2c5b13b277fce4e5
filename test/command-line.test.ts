import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { permissions } from '../src/permissions.ts';
import { listen } from './loopback.ts';
import {
  type Ended,
  emptySettingsIn,
  gateway,
  gatewayJson,
  launch,
  newFolder,
  root,
  serve,
  settingsIn,
} from './processes.ts';

/** The command line in processes of its own: what it prints, and what it ends with. */

/** It ended with 1, and says in words what is wrong and nothing else. */
function expectRefused({ code, stdout, stderr }: Ended, words: string | RegExp): void {
  expect(stderr).toMatch(words);
  expect(stderr).not.toMatch(/^\s+at /m);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
}

describe('--help', () => {
  test.each([
    ['gateway', 'docs/configuration.md', []],
    ['gateway serve', 'migrate, then serve', ['serve']],
    ['gateway migrate', 'newest version', ['migrate']],
    ['gateway demo', '--count <n>', ['demo']],
    ['gateway organization', 'create', ['organization']],
    ['gateway organization create', '<slug>', ['organization', 'create']],
    ['gateway token', '--permissions <list>', ['token']],
    ['gateway personal-access-token', 'create', ['personal-access-token']],
    ['gateway personal-access-token create', '<name>', ['personal-access-token', 'create']],
    ['gateway archive', 'gateway archive --keep 90d', ['archive']],
    ['gateway archive check', 'oldest first', ['archive', 'check']],
    ['gateway prune', 'gateway prune --dry-run', ['prune']],
    ['gateway backup', '--to <file>', ['backup']],
    ['gateway restore', 'stop the gateway first', ['restore']],
    ['gateway restore missing', '<file>', ['restore', 'missing']],
    ['gateway key', 'reencrypt', ['key']],
    ['gateway key list', '--json', ['key', 'list']],
    ['gateway key rotate', '--emergency', ['key', 'rotate']],
    ['gateway key retire', '<kid>', ['key', 'retire']],
    ['gateway key reencrypt', 'stop every gateway', ['key', 'reencrypt']],
    ['gateway doctor', 'It only reads', ['doctor']],
    ['gateway revoke', 'some were refused', ['revoke']],
    ['gateway introspect', 'of another organization', ['introspect']],
    ['gateway ledger', 'gateway ledger -n 100', ['ledger']],
    ['gateway completion', 'choices: "bash", "zsh", "fish"', ['completion']],
  ])('%s says what can be given, %s among it', async (command, words, args) => {
    const { code, stdout, stderr } = await gateway(settingsIn(newFolder()), ...args, '--help');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(`Usage: ${command}`);
    expect(stdout).toContain(words);
  });
});

describe('wrong arguments', () => {
  const token = ['token', '--organization', 'acme', '--permissions'];
  test.each<[string, string[], string | RegExp]>([
    ['no command', [], 'Usage: gateway'],
    ['an unknown command', ['revoke-all'], /unknown command 'revoke-all'\n.*--help/],
    ['an unknown option', ['serve', '--port', '1'], /unknown option '--port'\n.*--help/],
    ['no organization', ['token', '--permissions', 'a'], /'--organization <slug>'.*\n.*--help/],
    ['no permissions', token.slice(0, 3), /'--permissions <list>'.*\n.*--help/],
    ['an empty list of permissions', [...token, ' , '], 'permissions: Name at least one'],
    ['an unknown permission', [...token, 'token:forge'], /: token:forge\. There are identity:/],
    ['a permission of a project without a name', [...token, 'IDENTITY+MANAGE@'], 'There are'],
    ['no duration', [...token, 'ledger:read', '--ttl', 'soon'], 'such as 90s, 15m, 1h or 30d'],
    ['a duration without a unit', [...token, 'ledger:read', '--ttl', '3600'], 'such as 90s'],
    ['an endless duration', [...token, 'ledger:read', '--ttl', '1000y'], 'between 1s and 100y'],
    ['an empty subject', [...token, 'ledger:read', '--subject', ''], '1 to 200 characters'],
    ['no slug', ['organization', 'create'], /missing required argument 'slug'\n.*--help/],
    ['a bad slug', ['organization', 'create', 'Acme Inc.'], 'slug: Must be 2 to 100 of a-z, 0-9'],
    ['a taken slug', ['organization', 'create', 'acme'], 'This name is taken: choose another.'],
    [
      'no name',
      ['personal-access-token', 'create', ...token.slice(1), 'ledger:read'],
      /missing required argument 'name'\n.*--help/,
    ],
    ['an unknown kind', ['revoke', 'password', 'x'], /It is one of access-token, .*token-auth\.\n/],
    ['neither a kind nor a value', ['revoke'], /^Say of which kind, or revoke by --value\.\n$/],
    ['a kind and a value', ['revoke', 'api-key', '--value'], /^--value takes no kind/],
    ['a count of none', ['demo', '--json', '--count', '0'], 'a whole number from 1 to 100000'],
  ])('%s: says what to do', async (_what, args, words) => {
    const settings = settingsIn(newFolder());
    await gatewayJson(settings, 'organization', 'create', 'acme');
    expectRefused(await gateway(settings, ...args), words);
  });

  test.each([
    ['token', ['token']],
    ['personal-access-token create', ['personal-access-token', 'create', 'ci']],
  ])('%s of an unknown organization: says how to make it', async (_command, args) => {
    const given = [...args, '--organization', 'nobody', '--permissions', 'ledger:read'];
    const ended = await gateway(settingsIn(newFolder()), ...given);
    expectRefused(ended, /no organization nobody.*"gateway organization create nobody"/);
  });
});

test('from an empty database to a first revocation', async () => {
  const settings = emptySettingsIn(newFolder());
  const migrated = await gatewayJson<{ ran: string[] }>(settings, 'migrate');
  expect(migrated.ran).toContain('0001_gateway');
  expect(await gatewayJson(settings, 'migrate')).toEqual({ ran: [] });

  const { slug } = await gatewayJson<{ slug: string }>(settings, 'organization', 'create', 'acme');
  const mine = ['--organization', slug, '--permissions'];
  const minted = await gatewayJson<{ id: string; token: string; expiresAt: string }>(
    settings,
    ...['token', ...mine, 'ledger:read', '--ttl', '15m', '--subject', 'robot'],
  );
  const lifeMs = Date.parse(minted.expiresAt) - Date.now();
  expect(lifeMs).toBeGreaterThan(14 * 60_000);
  expect(lifeMs).toBeLessThanOrEqual(15 * 60_000);
  const made = await gatewayJson<{ id: string; secret: string; expiresAt: null }>(
    settings,
    ...['personal-access-token', 'create', 'laptop', ...mine, 'token:revoke,ledger:read'],
  );
  expect(made.expiresAt).toBeNull();

  const { url } = await serve(settings);
  const me = async (bearer: string) => {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${bearer}` },
      body: JSON.stringify({ query: '{ me { name organization permissions } }' }),
    });
    return ((await response.json()) as { data: { me: unknown } }).data.me;
  };
  const robot = { name: 'robot', organization: 'acme', permissions: ['ledger:read'] };
  expect(await me(minted.token)).toEqual(robot);
  const revoked = await fetch(`${url}/api/v1/auth/token-auth/tokens/${minted.id}/revoke`, {
    method: 'POST',
    headers: { authorization: `Bearer ${made.secret}` },
  });
  expect(revoked.status).toBe(200);
  expect(await me(minted.token)).toBeNull();
  expect(await me(made.secret)).toMatchObject({ name: 'laptop' });
});

test('without --json, commands print what people and scripts need', async () => {
  const settings = emptySettingsIn(newFolder());
  const mine = ['--organization', 'acme', '--permissions', permissions.join(',')];
  const lines: [string[], RegExp][] = [
    [['migrate'], /^Ran 0001_gateway.*\.\n$/],
    [['migrate'], /^Nothing to do\.\n$/],
    [['organization', 'create', 'acme'], /gateway -- token --organization acme/],
    [['token', ...mine], /^eyJ[\w-]+\.[\w-]+\.[\w-]+\n$/],
    [['personal-access-token', 'create', 'ci', ...mine, '--ttl', '30d'], /^rgw_pat_[\w-]{43}\n$/],
  ];
  for (const [args, printed] of lines) {
    const { code, stdout, stderr } = await gateway(settings, ...args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(printed);
  }
});

test('wrong settings stop the start, all of them named at once', async () => {
  const wrong = { PORT: 'http', HOST: '0.0.0.0', LOG_LEVEL: 'loud', OUTBOUND_ALLOW: 'home' };
  const ended = await gateway({ ...settingsIn(newFolder()), ...wrong }, 'serve');
  for (const name of Object.keys(wrong)) expectRefused(ended, new RegExp(`^  ${name}\\b`, 'm'));
});

test.each(['DATABASE_URL', 'SECRET_KEY_FILE'])(
  'a %s that is a folder is named, and what to do',
  async (name) => {
    const folder = newFolder();
    const value = name === 'DATABASE_URL' ? `sqlite:${folder}` : folder;
    const ended = await gateway({ ...settingsIn(folder), [name]: value }, 'serve');
    expectRefused(ended, new RegExp(`${name}.*point|point ${name}`));
  },
);

test('another secret key than the one that the database was made with is refused', async () => {
  const folder = newFolder();
  const settings = settingsIn(folder);
  await gatewayJson(settings, 'organization', 'create', 'acme');
  const ended = await gateway({ ...settings, SECRET_KEY_FILE: join(folder, 'other') }, 'serve');
  expectRefused(ended, 'point SECRET_KEY_FILE to the file that this database was made with');
});

test.each(['serve', 'demo'])('%s on a port in use: says so and ends', async (command) => {
  const { port } = await listen((response) => response.end());
  const settings = { ...settingsIn(newFolder()), PORT: String(port), LOG_LEVEL: 'silent' };
  const ended = await gateway(settings, command);
  expectRefused(ended, `Port ${port} of 127.0.0.1 is in use: set PORT to another.`);
});

describe('an old Node', () => {
  const pretend = `data:text/javascript,Object.defineProperties(process, {
    version: { value: 'v20.19.0' },
    versions: { value: { ...process.versions, node: '20.19.0' } },
  })`;
  const majorOf = (program: string) =>
    Number(/^v(\d+)/.exec(execFileSync(program, ['--version'], { encoding: 'utf8' }))?.[1]);
  const outside = (process.env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => !folder.includes('node_modules'))
    .map((folder) => join(folder, 'node'))
    .filter((program) => existsSync(program) && majorOf(program) < 24);

  test.each([
    ['one that says so', process.execPath, ['--import', pretend]],
    ...outside.slice(0, 1).map((program): [string, string, string[]] => [program, program, []]),
  ])('%s is told what to do in one sentence', async (_which, program, flags) => {
    const args = [...flags, join(root, 'bin/gateway.mjs'), 'serve'];
    const ended = await launch(program, args, settingsIn(newFolder())).ended;
    expectRefused(ended, /^The revocation gateway needs Node\.js 24 or newer.*npm start.*\.\n$/);
  });
});
