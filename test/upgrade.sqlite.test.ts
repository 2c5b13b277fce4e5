import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { expect, test } from 'vitest';
import { migrationNames } from '../src/database/migrate.ts';
import { gateway, gatewayJson, newFolder, serve, settingsIn } from './processes.ts';

/** A database of an older gateway is brought up to date, and what was revoked in it stays revoked. */

interface Older {
  readonly secretKey: string;
  readonly apiKey: readonly { applicationId: string; keyId: string; key: string }[];
  readonly oauthClient: { readonly clientId: string; readonly clientSecret: string };
}

const fixture = (name: string) => readFileSync(join(import.meta.dirname, 'fixtures', name), 'utf8');

test('a database from before the archive, with a revocation in it', async () => {
  const folder = newFolder();
  const file = join(folder, 'older.db');
  const older: Older = JSON.parse(fixture('older.json'));
  const db = new Sqlite(file);
  db.exec(fixture('older.sql'));
  const before = db.prepare('select * from ledger order by seq').all();
  expect(before.length).toBeGreaterThan(0);
  const had = db.prepare<[], { name: string }>('select name from kysely_migration').all();
  expect(had.length).toBeLessThan(migrationNames.length);
  db.close();
  const settings = settingsIn(folder, `sqlite:${file}`);
  writeFileSync(settings.SECRET_KEY_FILE ?? '', `${older.secretKey}\n`, { mode: 0o600 });

  const backup = join(folder, 'before.db');
  expect((await gateway(settings, 'backup', '--to', backup)).code).toBe(0);
  const migrated = await gateway(settings, 'migrate');
  expect(migrated).toMatchObject({ code: 0, stderr: '' });
  for (const name of migrationNames.slice(had.length)) expect(migrated.stdout).toContain(name);

  const { url } = await serve(settings);
  const { clientId, clientSecret } = older.oauthClient;
  const authorization = `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`;
  const isActive = async (token = '') => {
    const body = new URLSearchParams({ token });
    const response = await fetch(`${url}/oauth/introspect`, {
      ...{ method: 'POST', body, headers: { authorization } },
    });
    return ((await response.json()) as { active: boolean }).active;
  };
  const [revoked, good] = older.apiKey;
  expect([await isActive(revoked?.key), await isActive(good?.key)]).toEqual([false, true]);

  const { token } = await gatewayJson<{ token: string }>(
    settings,
    ...['token', '--organization', 'acme', '--permissions', 'organization:admin', '--json'],
  );
  const path = `/api/v1/applications/${good?.applicationId}/api-keys/${good?.keyId}`;
  const headers = { authorization: `Bearer ${token}` };
  expect((await fetch(url + path, { method: 'DELETE', headers })).status).toBe(200);
  expect(await isActive(good?.key)).toBe(false);

  const after = new Sqlite(file, { readonly: true });
  const entries = after.prepare('select * from ledger order by seq').all();
  expect(entries.slice(0, before.length)).toEqual(before);
  after.close();
});
