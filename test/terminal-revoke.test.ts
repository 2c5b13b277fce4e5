import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { past } from './engine.ts';
import { listen } from './loopback.ts';
import { gatewayJson, settingsIn } from './processes.ts';
import { jsonOf, openTerminal, type Terminal, tableOf } from './terminal.ts';

/** `gateway revoke` by ids: what is printed, what is in the ledger, and what it ends with. */

const nothing = '-';
const time = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;

const entriesOf = async ({ folder }: Terminal) => {
  const sql = "select * from ledger where surface = 'graphql' order by seq";
  return await (await past(folder)).all<Record<string, string | null>>(sql);
};

test('each id has a row, and refused ones say why; again, what is revoked is no failure', async () => {
  const t = await openTerminal();
  const [first, second] = t.demo.apiKey;
  const address = `${second?.applicationId}/${second?.keyId}`;
  const why = ['--reason', 'key-compromise', '--comment', 'the backup was public'];
  const { code, stdout, stderr } = await t.run([
    ...['revoke', 'api-key', first?.keyId ?? '', 'no-such-key', address, ...why],
  ]);
  expect({ code, stderr }).toEqual({ code: 3, stderr: '2 REVOKED, 1 NOT_FOUND.\n' });
  expect(stdout).toMatch(/^ID +OUTCOME +REVOKED AT +TARGETS +WHY NOT\n/);
  expect(tableOf(stdout)).toEqual([
    [first?.keyId, 'REVOKED', expect.stringMatching(time), 'none', nothing],
    ['no-such-key', 'NOT_FOUND', nothing, nothing, 'No such API key in your organization.'],
    [address, 'REVOKED', expect.stringMatching(time), 'none', nothing],
  ]);
  const entries = await entriesOf(t);
  expect(entries.map(({ outcome, reason, comment }) => [outcome, reason, comment])).toEqual(
    ['done', 'refused', 'done'].map((outcome) => [
      ...[outcome, 'KEY_COMPROMISE', 'the backup was public'],
    ]),
  );

  const again = await t.run(['revoke', 'API_KEY', first?.keyId ?? '', address, '--json']);
  expect([again.code, again.stderr]).toEqual([0, '2 ALREADY_REVOKED.\n']);
  expect(jsonOf(again.stdout)).toEqual(
    [first?.keyId, address].map((id) => ({
      ...{ id, outcome: 'ALREADY_REVOKED', revocationId: null, targets: null },
      ...{ revokedAt: expect.stringMatching(time), message: 'This has been revoked already.' },
    })),
  );
}, 60_000);

test('ids come from arguments, standard input and a file, in this order', async () => {
  const t = await openTerminal({ tokens: 5 });
  const [a, b, c, d, e] = t.ids as [string, string, string, string, string];
  const file = join(t.folder, 'ids.txt');
  writeFileSync(file, `\uFEFF${d}\r\n\r\n   ${e}\t\n`);
  const args = ['revoke', 'personal-access-token', a, '-', c, '--file', file, '--json'];
  const { code, stdout } = await t.run(args, { input: `\n${b}\n` });
  expect(code).toBe(0);
  const rows = jsonOf(stdout);
  expect(rows.map(({ id, outcome }) => [id, outcome])).toEqual(
    [a, b, c, d, e].map((id) => [id, 'REVOKED']),
  );
  const ids = rows.map(({ revocationId }) => revocationId);
  expect((await entriesOf(t)).map(({ id }) => id)).toEqual(ids);
});

test('hostile ids are one row each, harm no other, and reach no terminal', async () => {
  const t = await openTerminal({ tokens: 1 });
  const [good = ''] = t.ids;
  const hostile = ['-x', '--json', '\u001b[2J\u001b]0;owned\u0007', 'a\u009b31mb', '\u202Egnp.exe'];
  const never = [
    'x'.repeat(402),
    'rgw_pat_c2VjcmV0LXNlY3JldA',
    `eyJhbGciOiJub25lIn0.${'e'.repeat(9)}`,
  ];
  const inLines = [
    '-y',
    'back\bspace',
    'nul\0',
    "'; drop table ledger; --",
    '../../etc',
    'ä\u0301😀',
  ];
  const input = [...inLines, ...never, good].join('\n');
  const args = ['revoke', 'personal-access-token', '-', 'two\nlines', '--', ...hostile];
  const { code, stdout, stderr } = await t.run(args, { input });
  expect(code).toBe(3);
  expect(stdout).not.toMatch(/[\p{Cc}\p{Cf}](?<!\n)/u);
  expect(stdout + stderr).not.toContain(never[1]);
  expect(stdout + stderr).not.toContain(never[2]);
  const rows = tableOf(stdout).map(([id, outcome]) => [id, outcome]);
  expect(rows).toEqual([
    ...[
      ['-y', 'NOT_FOUND'],
      ['back\\u{8}space', 'NOT_FOUND'],
      ['nul\\u{0}', 'INVALID_INPUT'],
    ],
    ...["'; drop table ledger; --", '../../etc', 'ä\u0301😀'].map((id) => [id, 'NOT_FOUND']),
    [never[0], 'INVALID_INPUT'],
    ...[
      ['(a secret)', 'INVALID_INPUT'],
      ['(a secret)', 'INVALID_INPUT'],
      [good, 'REVOKED'],
    ],
    ...[
      ['two\\u{a}lines', 'NOT_FOUND'],
      ['-x', 'NOT_FOUND'],
      ['--json', 'NOT_FOUND'],
    ],
    ['\\u{1b}[2J\\u{1b}]0;owned\\u{7}', 'NOT_FOUND'],
    ...[
      ['a\\u{9b}31mb', 'NOT_FOUND'],
      ['\\u{202e}gnp.exe', 'NOT_FOUND'],
    ],
  ]);

  const json = await t.run([...args.slice(0, 2), '--json', '--', ...hostile]);
  expect(json.stdout).not.toMatch(/[\p{Cc}\p{Cf}](?<!\n)/u);
  expect(jsonOf(json.stdout).map(({ id }) => id)).toEqual(hostile);
});

test('10,001 ids are revoked in several requests, and it says how far it is', async () => {
  const t = await openTerminal({ tokens: 10_001 });
  const input = t.ids.join('\n');
  const { code, stdout, stderr } = await t.run(['revoke', 'personal-access-token', '-'], { input });
  expect([code, stderr.split('\n').at(-2)]).toEqual([0, '10,001 REVOKED.']);
  expect(tableOf(stdout).map(([id, outcome]) => `${id} ${outcome}`)).toEqual(
    t.ids.map((id) => `${id} REVOKED`),
  );
  const requests = new Set((await entriesOf(t)).map(({ request_id }) => request_id));
  expect(requests.size).toBe(11);
}, 180_000);

test('ids of many bytes are split by their bytes too', async () => {
  const t = await openTerminal();
  const input = Array.from({ length: 1_000 }, (_, i) => `${i}`.padEnd(401, '\u0001')).join('\n');
  const { code, stderr } = await t.run(['revoke', 'api-key', '-', '--json'], { input });
  expect([code, stderr.split('\n').at(-2)]).toEqual([3, '1,000 NOT_FOUND.']);
}, 60_000);

test('how many targets have learnt of it, and which have not', async () => {
  const heard = await listen((response) => response.end());
  const broken = await listen((response) => response.writeHead(500).end());
  const t = await openTerminal({ tokens: 2, settings: { OUTBOUND_ALLOW: '127.0.0.0/8' } });
  const make = `mutation ($input: CreateWebhookInput!) { createWebhook(input: $input) {
    ... on Error { message } } }`;
  for (const [name, { url }] of Object.entries({ heard, broken })) {
    const made = await fetch(`${t.url}/graphql`, {
      method: 'POST',
      headers: {
        ...{ authorization: `Bearer ${t.demo.callers.admin}` },
        'content-type': 'application/json',
      },
      body: JSON.stringify({
        query: make,
        variables: { input: { name, url } },
      }),
    });
    expect(await made.json()).toEqual({ data: { createWebhook: {} } });
  }
  const { code, stdout, stderr } = await t.run(['revoke', 'personal-access-token', ...t.ids]);
  expect(code).toBe(0);
  expect(tableOf(stdout).map(([, outcome, , targets]) => [outcome, targets])).toEqual(
    t.ids.map(() => ['REVOKED', '1 of 2']),
  );
  expect(stderr).toContain('Not reached yet: WEBHOOK broken: PENDING, Answered 500\n');
  expect(stderr.match(/Not reached/g)).toHaveLength(1);
  // Without the right to look, it is revoked all the same.
  const { token } = await gatewayJson<{ token: string }>(
    settingsIn(t.folder),
    ...['token', '--organization', 'acme', '--permissions', 'api-key:revoke'],
  );
  const key = t.demo.apiKey[0]?.keyId ?? '';
  const blind = await t.run(['revoke', 'api-key', key], { env: { GATEWAY_TOKEN: token } });
  expect([blind.code, tableOf(blind.stdout)[0]?.[3]]).toEqual([0, nothing]);
}, 60_000);

test('who may not revoke them is told what is missing, id by id', async () => {
  const t = await openTerminal();
  const { callers, apiKey } = t.demo;
  const ids = apiKey.map(({ keyId }) => keyId);
  const env = { GATEWAY_TOKEN: callers.viewer };
  const { code, stdout } = await t.run(['revoke', 'api-key', ...ids], { env });
  expect(code).toBe(3);
  expect(tableOf(stdout).map((row) => row.slice(1))).toEqual(
    ids.map(() => [
      ...['PERMISSION_DENIED', nothing, nothing, 'You lack the permission api-key:revoke.'],
    ]),
  );
});

test('whoever revokes the own token among others is told where it ended', async () => {
  const t = await openTerminal({ tokens: 1_500 });
  const made = await gatewayJson<{ id: string; secret: string }>(
    settingsIn(t.folder),
    ...['personal-access-token', 'create', 'mine', '--organization', 'acme'],
    ...['--permissions', 'organization:admin'],
  );
  const ids = [...t.ids.slice(0, 10), made.id, ...t.ids.slice(10)];
  const { code, stdout, stderr } = await t.run(['revoke', 'personal-access-token', '-', '--json'], {
    ...{ input: ids.join('\n'), env: { GATEWAY_TOKEN: made.secret } },
  });
  expect(code).toBe(1);
  const outcomes = jsonOf(stdout).map(({ outcome }) => outcome);
  expect(outcomes).toHaveLength(1_000);
  expect(outcomes.lastIndexOf('REVOKED')).toBe(10);
  expect(stderr).toMatch(/^11 REVOKED, 989 UNAUTHENTICATED, 501 not known\.\n/);
  expect(stderr).toContain('it was revoked meanwhile, perhaps as one of these ids.');
});
