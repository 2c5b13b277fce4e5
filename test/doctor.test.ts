import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { newSecretKey, secretsText } from '../src/keys/secret-key.ts';
import { type Examined, examine } from './doctors.ts';
import { emptyDatabaseIn, engine, past } from './engine.ts';
import { gateway, gatewayJson, newFolder, type Settings, serve, settingsIn } from './processes.ts';
import { withStuck, withUnwell } from './unwell.ts';

/** `gateway doctor`: what is wrong, and what to do, without touching anything. */

/** The server of the tests trades safety for speed, and that is found. */
const ofTheEngine: Examined['wrong'] = {
  sqlite: [],
  postgres: [
    ['durability', 'problem'],
    ['durability', 'problem'],
  ] as const,
}[engine];

/** A gateway that has run once. */
async function used(more: Settings = {}) {
  const folder = newFolder();
  const env = settingsIn(folder);
  await gatewayJson(env, 'organization', 'create', 'acme');
  return { folder, env: { ...env, ...more } };
}

/** Every file with its bytes, its mode, and when it was written to. */
const filesIn = (folder: string) =>
  readdirSync(folder).map((name) => {
    const { mode, mtimeMs } = statSync(join(folder, name));
    return [name, readFileSync(join(folder, name), 'base64').length, mode, mtimeMs];
  });

test('what is well is said to be, and nothing is touched', async () => {
  const { folder, env } = await used();
  const before = filesIn(folder);
  const { code, wrong, problems, warnings, findings } = await examine(env);
  expect(wrong).toEqual(ofTheEngine);
  expect([code, problems, warnings]).toEqual([
    ofTheEngine.length > 0 ? 1 : 0,
    ofTheEngine.length,
    0,
  ]);
  const checks = [
    ...['settings', 'PUBLIC_URL', 'TRUSTED_PROXIES', 'OUTBOUND_ALLOW', 'SECRET_KEY_FILE'],
    ...['TRUSTED_ISSUERS', 'database', 'durability', 'migrations', 'ledger', 'signing key'],
    'deliveries',
    ...(engine === 'sqlite' ? ['file permissions', 'disk', 'integrity'] : ['clock']),
  ];
  expect(new Set(findings.map(({ check }) => check))).toEqual(new Set(checks));
  expect(filesIn(folder)).toEqual(before);

  const { stdout } = await gateway(env, 'doctor');
  expect(stdout).toMatch(/^ok {7}settings {2,}can be read$/m);
  expect(stdout).toMatch(/^ok {7}ledger {2,}entries up to 1, the newest 1 without a gap$/m);
  expect(stdout).toMatch(new RegExp(`\\n${ofTheEngine.length} problems, 0 warnings\\n$`));
});

test('beside a gateway that serves', async () => {
  const { folder, env } = await used();
  const served = await serve(env);
  const before = readdirSync(folder);
  expect((await examine(env)).wrong).toEqual(ofTheEngine);
  expect(readdirSync(folder)).toEqual(before);
  // It goes on.
  await gatewayJson(env, 'organization', 'create', 'globex');
  expect((await fetch(`${served.url}/health/ready`)).status).toBe(200);
  served.kill('SIGKILL');
  await served.ended;
  // A log that nobody has open is left to the next start.
  const left = filesIn(folder);
  const { of } = await examine(env);
  expect(of('ledger')).toMatchObject([{ what: expect.stringContaining('entries up to 2') }]);
  expect(filesIn(folder).map(([name, bytes]) => [name, bytes])).toEqual(
    left.map(([name, bytes]) => [name, bytes]),
  );
});

test('settings that cannot be read are all named', async () => {
  const { env } = await used({ PORT: 'http', LOG_LEVEL: 'loud' });
  const { code, findings } = await examine(env);
  expect([code, findings.length]).toEqual([1, 1]);
  expect(findings[0]).toMatchObject({
    ...{ check: 'settings', status: 'problem' },
    what: expect.stringMatching(/PORT: must be.*\n.*LOG_LEVEL: /),
  });
  const { stdout } = await gateway(env, 'doctor');
  expect(stdout).toMatch(/^problem {2}settings {2}These settings are wrong.*\n {21}PORT: /);
});

const production = { PROFILE: 'production', PUBLIC_URL: 'https://revoke.example.com' };
const wellBehind = { ...production, TRUSTED_PROXIES: '127.0.0.1' };

test.each<[string, Settings, Examined['wrong']]>([
  ['production behind a proxy', wellBehind, []],
  ['plain http', { ...wellBehind, PUBLIC_URL: 'http://a.example' }, [['PUBLIC_URL', 'problem']]],
  ['no address', { ...wellBehind, PUBLIC_URL: '' }, [['PUBLIC_URL', 'problem']]],
  [
    'the own machine',
    { ...wellBehind, PUBLIC_URL: 'https://127.0.0.1' },
    [['PUBLIC_URL', 'problem']],
  ],
  ['development elsewhere', { PUBLIC_URL: 'https://a.example' }, [['PUBLIC_URL', 'warning']]],
  ['a proxy that is not trusted', production, [['TRUSTED_PROXIES', 'warning']]],
  ['all proxies', { TRUSTED_PROXIES: '0.0.0.0/0' }, [['TRUSTED_PROXIES', 'problem']]],
  ['half of all', { TRUSTED_PROXIES: '::/1,10.0.0.1' }, [['TRUSTED_PROXIES', 'warning']]],
  ['everywhere', { OUTBOUND_ALLOW: '10.0.0.0/8,::/0' }, [['OUTBOUND_ALLOW', 'problem']]],
  ['nearly everywhere', { OUTBOUND_ALLOW: '128.0.0.0/1' }, [['OUTBOUND_ALLOW', 'warning']]],
  ['metadata of clouds', { OUTBOUND_ALLOW: '169.254.0.0/16' }, [['OUTBOUND_ALLOW', 'warning']]],
  ['itself', { ...wellBehind, OUTBOUND_ALLOW: '127.0.0.0/8' }, [['OUTBOUND_ALLOW', 'warning']]],
])('%s', async (_what, more, wrong) => {
  const { env } = await used(more);
  const { findings, ...examined } = await examine(env);
  expect(examined.wrong).toEqual([...wrong, ...ofTheEngine]);
  for (const { status, remedy } of findings) {
    expect(remedy === undefined).toBe(status === 'ok');
  }
});

test('a database and a secret key that are not there are not made', async () => {
  const folder = newFolder();
  const url = engine === 'sqlite' ? `sqlite:${folder}/none.db` : emptyDatabaseIn(folder);
  const env = settingsIn(folder, url);
  const { code, wrong, of } = await examine(env);
  expect(code).toBe(1);
  expect(wrong).toContainEqual(['SECRET_KEY_FILE', 'problem']);
  expect(wrong).toContainEqual([engine === 'sqlite' ? 'database' : 'migrations', 'problem']);
  expect(readdirSync(folder)).toEqual([]);
  if (engine === 'sqlite') {
    expect(of('database')).toMatchObject([{ what: `There is no database ${folder}/none.db` }]);
  } else
    expect(
      await (await past(folder)).all('select 1 from pg_tables where schemaname = $$public$$'),
    ).toEqual([]);
});

test('a secret key that others can read, that is none, that is another, or being replaced', async () => {
  const { folder, env } = await used();
  const file = join(folder, 'secret.key');
  const found = async () => {
    const { wrong, of } = await examine(env);
    return [wrong.filter(([check]) => check !== 'durability'), of('SECRET_KEY_FILE')[0]?.what];
  };
  const key = readFileSync(file, 'utf8');
  chmodSync(file, 0o644);
  expect(await found()).toEqual([
    [['SECRET_KEY_FILE', 'problem']],
    `${file} can be used by others (mode 644)`,
  ]);
  chmodSync(file, 0o600);
  writeFileSync(file, `${secretsText([newSecretKey()])}${key}`);
  expect((await found())[0]).toEqual([['SECRET_KEY_FILE', 'warning']]);
  writeFileSync(file, secretsText([newSecretKey()]));
  expect((await found())[0]).toEqual([['signing key', 'problem']]);
  writeFileSync(file, 'hello');
  expect((await found())[0]).toEqual([
    ['SECRET_KEY_FILE', 'problem'],
    ['signing key', 'problem'],
  ]);
});

test('a schema that is older or newer is not looked into', async () => {
  const { folder, env } = await used();
  const other = await past(folder);
  const add = (name: string) =>
    other.all('insert into kysely_migration (name, timestamp) values (?, ?)', name, 'now');
  const [last] = await other.all<{ name: string }>(
    'select max(name) as name from kysely_migration',
  );
  await add('9999_later');
  const newer = await examine(env);
  expect(newer.of('migrations')).toMatchObject([
    { status: 'problem', what: 'A newer gateway has run 9999_later' },
  ]);
  expect(newer.of('ledger')).toEqual([]);
  await other.all('delete from kysely_migration where name >= ?', last?.name);
  const older = await examine(env);
  expect(older.of('migrations')).toMatchObject([
    { status: 'problem', what: `${last?.name} have not run` },
  ]);
  expect(await other.all('select name from kysely_migration')).not.toContainEqual(last);
  // The next test may have this database.
  await add(last?.name ?? '');
});

test('the ledger is of the past, and a signing key of the last year', async () => {
  const { folder, env } = await used();
  const other = await past(folder);
  const day = 86_400_000;
  await other.all('update signing_keys set created_at_ms = ?', Date.now() - 366 * day);
  expect((await examine(env)).of('signing key')).toMatchObject([
    { status: 'warning', what: expect.stringMatching(/ has signed for 366 days$/) },
  ]);
  await gatewayJson(env, 'key', 'rotate', '--emergency');
  expect((await examine(env)).of('signing key')).toMatchObject([{ status: 'ok' }]);
  await other.all(
    `insert into ledger (seq, id, organization_id, at_ms, action, kind, target, outcome, actor,
       surface, request_id)
     select max(seq) + 1, 'later', max(organization_id), ${Date.now() + day}, 'update', 'api-key',
       'key', 'done', 'ada', 'rest', 'req' from ledger`,
  );
  expect((await examine(env)).of('ledger')).toMatchObject([{ status: 'warning' }]);
  await other.all('update signing_keys set retired_at_ms = 1');
  expect((await examine(env)).of('signing key')).toMatchObject([
    { status: 'warning', what: 'there is none yet' },
  ]);
});

test('what is open for long, and what is stuck', async () => {
  const late = await withUnwell();
  const env = (folder: string) => ({ ...settingsIn(folder), EFFECT_BOUND_MS: '100' });
  const open = await examine(env(late.h.folder));
  expect(open.of('deliveries')).toMatchObject([
    {
      status: 'warning',
      what: expect.stringMatching(/^2 to targets of the kind webhook are open/),
    },
  ]);
  const stuck = await withStuck();
  const { of, code } = await examine(env(stuck.h.folder));
  expect([code, of('deliveries')]).toMatchObject([
    1,
    [
      { status: 'problem', what: '1 to targets of the kind webhook are stuck' },
      { status: 'warning', what: expect.stringMatching(/^1 to targets of the kind webhook/) },
    ],
  ]);
}, 60_000);
