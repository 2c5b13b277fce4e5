import { writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { listen, type Received } from './loopback.ts';
import { type Ended, launch, newFolder, root, type Settings } from './processes.ts';
import { selfSigned } from './self-signed.ts';
import { launchCommand, openTerminal, terminalEnv } from './terminal.ts';

/** What the commands that speak to a gateway say when it does not answer, or says no. */

const commands = [
  ['revoke', 'api-key', 'some-key'],
  ['revoke', '--value'],
  ['introspect'],
  ['ledger'],
];

const run = (url: string, args = ['ledger'], env: Settings = {}, token = 'rgw_pat_secret') =>
  launchCommand({ ...terminalEnv(url, token), ...env }, args, 'some-value').ended;

/** It ended with 1, and says in words what is wrong and nothing else. */
function expectError({ code, stdout, stderr }: Ended, words: string | RegExp): void {
  expect(stderr).toMatch(words);
  expect(stderr).not.toMatch(/^\s+at /m);
  expect(stderr).not.toContain('rgw_pat_secret');
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
}

describe.each(commands.map((command) => ({ command })))('$command', ({ command }) => {
  test('a gateway that is not there: says what to do, at once', async () => {
    const { url, close } = await listen((response) => response.end());
    await close();
    const words = /^Nothing answers at \S+ \(ECONNREFUSED\): start the gateway, or say with --url/;
    expectError(await run(url, command), words);
  });

  test('a token that is not good: names where it is from', async () => {
    const t = await openTerminal();
    const { expired } = t.demo.callers;
    const words = /^http\S+ does not let you in with the token of GATEWAY_TOKEN: /;
    expectError(await run(t.url, command, {}, 'rgw_pat_secret'), words);
    expectError(await run(t.url, command, {}, expired), words);
    const file = join(t.folder, 'token');
    writeFileSync(file, 'rgw_pat_secret\n');
    const ended = await run(t.url, [...command, '--token-file', file], { GATEWAY_TOKEN: '' });
    expectError(ended, `with the token of ${file}: `);
    writeFileSync(file, `${t.demo.callers.admin}\n`);
    const good = await run(t.url, [...command, '--token-file', file]);
    expect(good.stderr).not.toContain('let you in');
  });

  test('a server that leads elsewhere is not followed', async () => {
    const other = await listen((response) => response.end('{}'));
    const first = await listen((response) =>
      response.writeHead(307, { location: `${other.url}\u009b31m` }).end(),
    );
    const ended = await run(first.url, command);
    expectError(ended, /leads elsewhere \(307, .*\): say with --url where the gateway is\.\n$/);
    expect(ended.stderr).not.toMatch(/\u009b/);
    expect([first.received.length, other.received]).toEqual([1, []]);
  });

  test('what is no gateway is told from one', async () => {
    const { url } = await listen((response) => response.end('<h1>Welcome</h1>'));
    expectError(await run(url, command), /^What is at \S+ is no revocation gateway \(200\)/);
  });
});

test('they load nothing of a server', async () => {
  const hooks = `import { registerHooks } from 'node:module';
    registerHooks({ load(url, context, next) { process.stderr.write(url + '\\n'); return next(url, context); } });`;
  // The sources, since a bundle does not tell what is in it.
  const program = `${hooks} const { main } = await import(${JSON.stringify(join(root, 'src/main.ts'))});
    await main(process.argv);`;
  for (const [command = ''] of commands) {
    const given = ['--input-type=module', '--eval', program, 'gateway', command, '--help'];
    const { code, stderr } = await launch(process.execPath, given, {}).ended;
    expect(code).toBe(0);
    expect(stderr).toMatch(/commander.*src\/commands\/remote/s);
    expect(stderr).not.toMatch(/node_modules\/(?!commander|p-retry|is-network-error|ms\/)/);
  }
});

test.each([
  ['no token', {}, 'Who asks? Set GATEWAY_TOKEN'],
  ['two lines', { GATEWAY_TOKEN: 'rgw_pat_secret\nx' }, 'has something else than one token'],
  ['an escape', { GATEWAY_TOKEN: 'rgw_pat_secret\u001b' }, 'has something else than one token'],
  ['an address without http', { GATEWAY_TOKEN: 'x', GATEWAY_URL: 'host:1' }, /^GATEWAY_URL: must/],
  ['a user in it', { GATEWAY_TOKEN: 'x', PUBLIC_URL: 'http://me@host' }, /^PUBLIC_URL: must/],
])('%s: says so', async (_what, env, words) => {
  const PATH = process.env.PATH ?? '';
  expectError(await launchCommand({ PATH, ...env }, ['ledger']).ended, words);
});

test('without an address it is the one of the settings that a gateway here has', async () => {
  const t = await openTerminal();
  const { port } = new URL(t.url);
  for (const env of [{ PORT: port }, { PUBLIC_URL: `${t.url}/`, PORT: '1' }]) {
    const ended = await t.run(['ledger', '-n', '1'], { env: { GATEWAY_URL: '', ...env } });
    expect([ended.code, ended.stderr]).toEqual([0, '']);
  }
});

/** Stands before a gateway, and answers so much itself. */
async function before(url: string, answers: readonly [number, Record<string, string>][]) {
  const left = [...answers];
  return await listen(async (response, { url: path, method, headers, body }: Received) => {
    const own = left.shift();
    if (own !== undefined) return response.writeHead(...own).end();
    const passed = await fetch(`${url}${path}`, {
      ...{ method, body },
      headers: {
        authorization: `${headers.authorization}`,
        'content-type': `${headers['content-type']}`,
      },
    });
    return response.writeHead(passed.status, [...passed.headers].flat()).end(await passed.text());
  });
}

test('who says to come back is asked again then, and not before', async () => {
  const t = await openTerminal({ tokens: 1 });
  const front = await before(t.url, [
    [503, { 'retry-after': '1' }],
    [429, { 'retry-after': new Date(Date.now() + 3_000).toUTCString() }],
  ]);
  const startedAt = performance.now();
  const env = { GATEWAY_URL: front.url };
  const { code, stderr } = await t.run(['revoke', 'personal-access-token', ...t.ids], { env });
  expect(performance.now() - startedAt).toBeGreaterThan(2_000);
  expect(code).toBe(0);
  expect(stderr).toMatch(
    /cannot answer for now \(503, and says to come back in 1 s\)\. Trying again for up to 30 s\.\nAnswered again\.\n1 REVOKED\.\n$/,
  );
}, 60_000);

test('nobody waits for an hour', async () => {
  const front = await before('', [[429, { 'retry-after': '3600' }]]);
  expectError(await run(front.url), /\(429, and says to come back in 3600 s\)\.\n$/);
  expect(front.received).toHaveLength(1);
});

test('what a server says reaches no terminal as it is', async () => {
  const message = 'evil\u001b]0;owned\u0007\u009b31m\u202e\nline';
  const { url } = await listen((response) =>
    response
      .writeHead(400)
      .end(JSON.stringify({ errors: [{ message }], error_description: message })),
  );
  for (const command of commands) {
    const { code, stdout, stderr } = await run(url, command);
    expect(code).not.toBe(0);
    expect(stderr + stdout).toContain('evil\\u{1b}]0;owned\\u{7}\\u{9b}31m\\u{202e}\\u{a}line');
    expect(stderr + stdout).not.toMatch(/[\p{Cc}\p{Cf}](?<!\n)/u);
  }
});

test('a certificate that nobody has signed: says what to do, and that helps', async () => {
  const t = await openTerminal();
  const pair = selfSigned();
  const server = createServer(pair, async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const headers = {
      authorization: `${request.headers.authorization}`,
      'content-type': 'application/json',
    };
    const body = Buffer.concat(chunks).toString();
    const passed = await fetch(`${t.url}${request.url}`, { method: 'POST', headers, body });
    response.end(await passed.text());
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const url = `https://127.0.0.1:${port}`;
  expectError(
    await run(url),
    /is not trusted \(\w+\): set NODE_EXTRA_CA_CERTS to a file that has it/,
  );
  expectError(await run(`https://localhost:${port}`), /certificate/);
  const file = join(newFolder(), 'ca.pem');
  writeFileSync(file, pair.cert);
  const env = { NODE_EXTRA_CA_CERTS: file };
  const trusted = await run(url, ['ledger'], env, t.demo.callers.admin);
  expect([trusted.code, trusted.stderr]).toEqual([0, '']);
  expectError(await run(t.url.replace('http:', 'https:')), /does not speak TLS .*: is it http:\?/);
});

test('who reads along is warned of where it is not https', async () => {
  const { port } = await listen((response) => response.end('x'));
  const { stderr } = await run(`http://0.0.0.0:${port}`);
  expect(stderr).toMatch(/^Warning: \S+ is not https: whoever is on the way reads the token\.\n/);
});
