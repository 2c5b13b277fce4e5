import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { filled, lookInto } from './backups.ts';
import { blocks, page, section } from './markdown.ts';
import { paste } from './pasting.ts';
import { gatewayJson, serve, settingsIn } from './processes.ts';

/** docs/operations.md: every command that can be pasted is run as it stands, but for where its files lie. */

const operations = page('docs/operations.md');
const shell = (text: string) => blocks(text).filter(({ language }) => language === 'sh');

test('each command is run here', () => {
  const first = ['## Install', '## Upgrade', '## Growth', '## When the database fails'];
  const others = ['## Backups and restoring', '## Signing keys', '## Doctor'];
  const run = [...first, ...others].flatMap((heading) => shell(section(operations, heading)));
  expect(shell(operations)).toEqual(run);
});

/** A database with demo data, and what has commands find it, and write beside it. */
async function given() {
  const made = await filled(5);
  for (const name of ['archive', 'backups']) mkdirSync(made.at(name));
  const at = (code = '') =>
    code.replace(/\b(data|archive|backups)(?=\/)/g, (name) =>
      name === 'data' ? made.folder : made.at(name),
    );
  const run = (code: string | undefined, more: Record<string, string> = {}) =>
    paste(at(code), 'http://localhost:8080', { ...made.env, ...more });
  return { ...made, run };
}

/** The blocks of a section, in order. */
const commandsOf = (heading: string) => shell(section(operations, heading)).map(({ code }) => code);

test('it is installed, and upgraded', async () => {
  const { run, at } = await given();
  const [install, ...more] = commandsOf('## Install');
  expect(await run(install)).toMatch(/\n0 problems, 0 warnings\n$/);
  const [upgrade, ...others] = commandsOf('## Upgrade');
  await run(upgrade);
  expect(existsSync(at('backups/before-upgrade.db'))).toBe(true);
  expect([more, others]).toEqual([[], []]);
});

test('archive and prune', async () => {
  const { env, run, at } = await given();
  await gatewayJson(env, 'organization', 'create', 'initech');
  await gatewayJson(env, 'organization', 'create', 'umbrella');
  const [both, digest, ...more] = commandsOf('## Growth');
  expect(more).toEqual([]);
  expect(await run(both)).toContain('Nothing to archive.\n');
  expect(existsSync(at('archive/ledger-2026-04-01.jsonl'))).toBe(false);
  const file = at('archive/ledger-2026-04-01.jsonl');
  const before = ['--before', new Date().toISOString(), '--to', file];
  const { archived } = await gatewayJson<{ archived: { digest: string } }>(
    env,
    'archive',
    ...before,
  );
  expect(await run(digest)).toBe(`${archived.digest.replace('sha256:', '')}  -\n`);
});

test('a backup is made, restored, and what was revoked since is revoked once more', async () => {
  const { env, demo, file, folder, run } = await given();
  const [doctor, ...none] = commandsOf('## When the database fails');
  expect(none).toEqual([]);
  expect(await run(doctor)).toMatch(/\n0 problems, 0 warnings\n$/);

  const [backup, restore, missing, again, ...more] = commandsOf('## Backups and restoring');
  expect(more).toEqual([]);
  const served = await serve(env);
  await run(backup);
  const headers = { authorization: `Bearer ${demo.callers.admin}` };
  const revoked = demo.apiKey.slice(0, 2);
  for (const { applicationId, keyId } of revoked) {
    const path = `/api/v1/applications/${applicationId}/api-keys/${keyId}`;
    const { status } = await fetch(served.url + path, { method: 'DELETE', headers });
    expect(status).toBe(200);
  }
  served.kill('SIGTERM');
  await served.ended;
  expect(await run(restore)).toContain('which count no more: 2.');
  expect(readdirSync(folder).filter((name) => /before-restore/.test(name))).toHaveLength(1);
  const lines = (await run(missing)).trimEnd().split('\n');
  expect(lines.map((line) => line.split(/ +/).slice(1))).toEqual(
    revoked.map(({ keyId }) => ['acme', 'api-key', keyId, 'UNSPECIFIED']),
  );
  const isRevoked = () =>
    lookInto(file, (db) =>
      revoked.map(({ keyId }) =>
        db
          .prepare('select revoked_at_ms is not null from revocables where id = ?')
          .pluck()
          .get(keyId),
      ),
    );
  expect(isRevoked()).toEqual([0, 0]);
  const { url, kill, ended } = await serve(env);
  await run(again, { GATEWAY_URL: url, GATEWAY_TOKEN: demo.callers.admin });
  kill('SIGTERM');
  await ended;
  expect(isRevoked()).toEqual([1, 1]);
}, 60_000);

test('keys are rotated, retired and replaced', async () => {
  const { env, file, folder, run } = await given();
  const [rotate, retire, emergency, reencrypt, ...more] = commandsOf('## Signing keys');
  expect(more).toEqual([]);
  const made = await run(rotate);
  const [, kid = ''] = /Key ([\w-]+) is published, and signs from/.exec(made) ?? [];
  const [, old = ''] = /^([\w-]{43}) {2}signing/m.exec(made) ?? [];
  expect(made).toContain(`\n${kid}  published  signs from `);
  // Its time has come, and the tokens of the other are over.
  lookInto(file, (db) => {
    db.exec('update signing_keys set signs_from_ms = signs_from_ms - 3600000, created_at_ms = 1');
    db.exec("update revocables set expires_at_ms = 1 where kind = 'access-token'");
  });
  expect(await run(retire?.replace('KID', old))).toContain(`Key ${old} is retired`);
  expect(await run(emergency)).toContain(`Key ${kid} is retired`);
  expect(await run(reencrypt)).toContain('has a new secret key');
  expect(readdirSync(folder).filter((name) => /^secret\.key/.test(name))).toHaveLength(2);
  await serve({ ...settingsIn(folder), ...env });
}, 60_000);

test('doctor', async () => {
  const { run } = await given();
  const [doctor, ...more] = commandsOf('## Doctor');
  expect(more).toEqual([]);
  const printed = await run(doctor);
  const { problems, warnings, findings } = JSON.parse(
    printed.slice(printed.indexOf('{"problems"')),
  );
  expect({ problems, warnings }).toEqual({ problems: 0, warnings: 0 });
  // The page names each check, whatever the engine.
  const text = section(operations, '## Doctor');
  for (const { check } of findings) expect(text).toContain(`| \`${check}\` |`);
});
