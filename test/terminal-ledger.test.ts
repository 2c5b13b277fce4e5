import { join } from 'node:path';
import { expect, test } from 'vitest';
import { entriesOf, mint, printed, seqs } from './followers.ts';
import { listen } from './loopback.ts';
import { launch, root } from './processes.ts';
import { jsonOf, openTerminal, tableOf } from './terminal.ts';

/** `gateway ledger`: what it prints of what is there. */

test('the newest are printed, oldest first; or all behind one, however many', async () => {
  const t = await openTerminal({ tokens: 250 });
  const input = t.ids.join('\n');
  await t.run(['revoke', 'personal-access-token', '-', 'no-such-token'], { input });
  const all = (await entriesOf(t)).map(({ seq }) => seq);
  expect(all).toHaveLength(251);
  const cases: [string[], number[]][] = [
    [[], all.slice(-20)],
    [['-n', '1'], all.slice(-1)],
    [['--last', '0'], []],
    [['--last', '230'], all.slice(-230)],
    [['--last', '9999'], all],
    [['--after', '0'], all],
    [['--after', `${all[99]}`], all.slice(100)],
    [['--after', `${all.at(-1)}`], []],
  ];
  for (const [args, expected] of cases) {
    const { code, stdout, stderr } = await t.run(['ledger', ...args, '--json']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(seqs(stdout)).toEqual(expected);
  }
  const { stdout } = await t.run(['ledger', '-n', '2']);
  expect(stdout).toMatch(/^SEQ +AT +ACTION +KIND +OUTCOME +ACTOR +SURFACE +TARGET\n/);
  const time = expect.stringMatching(/^\d{4}-.*Z$/);
  const rest = ['REVOKE', 'PERSONAL_ACCESS_TOKEN'];
  const target = expect.stringMatching(/^fingerprint:/);
  expect(tableOf(stdout)).toEqual([
    [`${all.at(-2)}`, time, ...rest, 'DONE', 'admin', 'graphql', t.ids.at(-1)],
    [`${all.at(-1)}`, time, ...rest, 'NOT_FOUND', 'admin', 'graphql', target],
  ]);
}, 60_000);

test.each([
  ['a number that is none', ['-n', 'many'], /It is a whole number from 0 to 10000\./],
  ['a number and a place', ['-n', '1', '--after', '1'], /cannot be used with/],
  ['a place that is ahead', ['--after', '999'], /^Entry 999 is not in this ledger: it is another/],
])('%s is refused', async (_what, args, words) => {
  const t = await openTerminal();
  const ended = await t.run(['ledger', ...args]);
  expect([ended.code, ended.stderr]).toEqual([1, expect.stringMatching(words)]);
});

test('without ledger:read it names that', async () => {
  const t = await openTerminal();
  const env = { GATEWAY_TOKEN: t.demo.callers.viewer };
  const { code, stderr } = await t.run(['ledger', '--follow'], { env });
  const said = 'The token of GATEWAY_TOKEN lacks the permission ledger:read.\n';
  expect([code, stderr]).toEqual([1, said]);
});

test('a reader that has enough ends it, in silence', async () => {
  const t = await openTerminal({ tokens: 400 });
  await t.run(['revoke', 'personal-access-token', '-'], { input: t.ids.join('\n') });
  const command = `'${process.execPath}' '${join(root, 'bin/gateway.mjs')}' ledger --after 0`;
  const { code, stdout, stderr } = await launch('sh', ['-c', `${command} | head -n 1`], t.env)
    .ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/^SEQ .*\n$/);
  const follower = t.launch(['ledger', '--follow', '--json']);
  await printed(follower, 20);
  follower.stopReading();
  await mint(t);
  expect(await follower.ended).toMatchObject({ code: 0, signal: null, stderr: '' });
}, 60_000);

test('what is in the ledger reaches no terminal as it is', async () => {
  const evil = 'x\u001b[2J\u009b31m\u202e\u2028\u{e0041}';
  const entry = Object.fromEntries(
    ['id', 'at', 'action', 'kind', 'target', 'outcome', 'refusal', 'actor', 'surface'].map(
      (name) => [name, evil],
    ),
  );
  const edges = [{ node: { seq: 1, ...entry } }];
  const body = JSON.stringify({ data: { me: { archivedUntil: null, ledger: { edges } } } });
  const { url } = await listen((response) => response.end(body));
  const t = await openTerminal();
  for (const args of [
    ['ledger', '-n', '1'],
    ['ledger', '-n', '1', '--json'],
  ]) {
    const { code, stdout } = await t.run(args, { env: { GATEWAY_URL: url } });
    expect(code).toBe(0);
    expect(stdout).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}](?<!\n)/u);
    if (args.includes('--json')) expect(jsonOf(stdout)).toEqual([{ seq: 1, ...entry }]);
    else expect(stdout).toContain('x\\u{1b}[2J\\u{9b}31m\\u{202e}\\u{2028}\\u{e0041}');
  }
});
