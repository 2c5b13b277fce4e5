import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { past } from './engine.ts';
import { gatewayJson, settingsIn } from './processes.ts';
import { jsonOf, openTerminal, type Terminal, tableOf } from './terminal.ts';

/** `gateway revoke --value` and `gateway introspect`: what has leaked is given, and never printed. */

const revoke = ['revoke', '--value'];

/** A token that may do this much. */
const tokenFor = async ({ folder }: Terminal, permissions: string) =>
  (
    await gatewayJson<{ token: string }>(
      settingsIn(folder),
      ...['token', '--organization', 'acme', '--permissions', permissions],
    )
  ).token;

test('whatever has leaked is revoked by its value, and says what it was', async () => {
  const t = await openTerminal();
  const [key] = t.demo.apiKey;
  const { tokenId = '', token = '' } = t.demo.accessToken[0] ?? {};
  const input = ` ${key?.key}\r\n\n${token}\nnothing-of-ours\n`;
  const { code, stdout, stderr } = await t.run(revoke, { input });
  expect([code, stderr]).toEqual([3, '2 REVOKED, 1 NOT_FOUND.\n']);
  expect(tableOf(stdout)).toEqual([
    ['#1', 'REVOKED', expect.stringMatching(/Z$/), 'none', 'API_KEY', key?.keyId, '-'],
    ['#2', 'REVOKED', expect.stringMatching(/Z$/), 'none', 'ACCESS_TOKEN', tokenId, '-'],
    ['#3', 'NOT_FOUND', '-', '-', '-', '-', 'Nothing in your organization has this value.'],
  ]);
  for (const value of [key?.key, token, 'nothing-of-ours']) {
    expect(stdout + stderr).not.toContain(value);
  }

  // Once more, from a file: what is revoked already is no failure.
  const file = join(t.folder, 'leaked');
  writeFileSync(file, token);
  const again = await t.run([...revoke, file, '--json']);
  expect([again.code, again.stderr]).toEqual([0, '1 ALREADY_REVOKED.\n']);
  expect(jsonOf(again.stdout)).toEqual([
    {
      ...{ value: '#1', outcome: 'ALREADY_REVOKED', message: 'It was revoked before.' },
      ...{ found: { kind: 'ACCESS_TOKEN', target: tokenId } },
      ...{ revocationId: null, revokedAt: null, targets: null },
    },
  ]);
});

test('a leaked token revokes itself', async () => {
  const t = await openTerminal();
  const GATEWAY_TOKEN = await tokenFor(t, 'identity:read');
  const { code, stdout } = await t.run([...revoke, '-', '--json'], {
    ...{ input: GATEWAY_TOKEN, env: { GATEWAY_TOKEN } },
  });
  expect([code, jsonOf(stdout)]).toMatchObject([0, [{ outcome: 'REVOKED', targets: null }]]);
  const gone = await t.run(['ledger'], { env: { GATEWAY_TOKEN } });
  expect(gone.code).toBe(1);
  const sql = "select outcome from ledger where surface = 'oauth'";
  expect(await (await past(t.folder)).all(sql)).toEqual([{ outcome: 'done' }]);
});

test('who may not revoke it, or not read the ledger, is told so', async () => {
  const t = await openTerminal();
  const input = t.demo.apiKey.map(({ key }) => key).join('\n');
  const env = { GATEWAY_TOKEN: t.demo.callers.viewer };
  const { code, stdout } = await t.run([...revoke, '--json'], { input, env });
  expect(code).toBe(3);
  const message = 'You lack the permission api-key:revoke.';
  expect(jsonOf(stdout)).toMatchObject(
    ['#1', '#2', '#3'].map((value) => ({ value, outcome: 'PERMISSION_DENIED', message })),
  );
  const unknown = await t.run([...revoke, '--json'], { input: 'who-knows', env });
  expect(unknown.code).toBe(3);
  expect(jsonOf(unknown.stdout)).toMatchObject([
    { outcome: 'NOT_REVOKED', message: expect.stringContaining('the ledger says which') },
  ]);
});

describe.each([[revoke], [['introspect']]])('%j', (command) => {
  test('takes no secret as an argument, and does not print it', async () => {
    const t = await openTerminal();
    const [key] = t.demo.apiKey;
    const { code, stdout, stderr } = await t.run([...command, key?.key ?? '']);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^A secret is never an argument: .* ps/);
    expect(stderr).not.toContain(key?.key);
  });

  test.each([
    ['nothing', [], '\n', 'There is no value: nothing was given.\n'],
    ['a file that is not there', ['no-such-file'], '', 'Cannot read no-such-file (ENOENT).\n'],
  ])('%s: says so', async (_what, args, input, said) => {
    const t = await openTerminal();
    const ended = await t.run([...command, ...args], { input });
    expect(ended).toMatchObject({ code: 1, stdout: '', stderr: said });
  });
});

describe('introspect', () => {
  test('at a terminal it asks, and shows nothing of the answer', async () => {
    const t = await openTerminal();
    const [key] = t.demo.apiKey;
    // Whoever types ends a line with a carriage return.
    const NODE_OPTIONS = '--import=data:text/javascript,process.stdin.isTTY=true';
    const given = { input: `${key?.key}\r`, env: { NODE_OPTIONS } };
    const { code, stdout, stderr } = await t.run(['introspect', '--json'], given);
    expect([code, stderr]).toEqual([0, 'The value (not shown): \n']);
    expect(stdout).toContain('"active":true');
    expect(stdout).not.toContain(key?.key);
    for (const input of ['\u0003', '\u0004']) {
      const left = await t.run(['introspect'], { ...given, input });
      expect([left.code, left.stdout]).toEqual([1, '']);
      expect(left.stderr).toBe('The value (not shown): \nNothing was given.\n');
    }
  });

  test('what is good ends with 0, what is not with 3', async () => {
    const t = await openTerminal();
    const [key] = t.demo.apiKey;
    const input = key?.key ?? '';
    const good = await t.run(['introspect'], { input });
    expect([good.code, good.stderr]).toEqual([0, '']);
    expect(tableOf(good.stdout)).toEqual(
      expect.arrayContaining([
        ...[
          ['active', 'true'],
          ['credential_kind', 'api-key'],
          ['jti', key?.keyId],
        ],
        ['iat', expect.stringMatching(/^\d{4}-\d\d-\d\dT/)],
      ]),
    );
    expect((await t.run(revoke, { input })).code).toBe(0);
    const ended = await t.run(['introspect', '-', '--json'], { input });
    expect(ended).toMatchObject({ code: 3, stdout: '{"active":false}\n', stderr: '' });
  });

  test('without the permission it names that, and asks for one value alone', async () => {
    const t = await openTerminal();
    const env = { GATEWAY_TOKEN: t.demo.callers.viewer };
    const denied = await t.run(['introspect'], { input: 'x', env });
    expect(denied).toMatchObject({
      ...{ code: 1, stdout: '' },
      stderr: 'The token of GATEWAY_TOKEN lacks the permission credential:introspect.\n',
    });
    const several = await t.run(['introspect'], { input: 'x\ny' });
    expect([several.code, several.stderr]).toEqual([1, expect.stringContaining('one value')]);
  });
});
