import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import Sqlite from 'better-sqlite3';
import { expect, onTestFinished, test } from 'vitest';
import { loadSecretKey } from '../src/keys.ts';
import { openGateway } from './harness.ts';

/** What a gateway makes of the database and the key file that it finds. */

const run = promisify(execFile);
const bin = resolve(import.meta.dirname, '../bin/gateway.mjs');

function folderForTest(): string {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

test('processes that start at once on nothing share one schema and one key', async () => {
  const folder = folderForTest();
  const env = {
    ...{ DATABASE_URL: `sqlite:${join(folder, 'gateway.db')}`, PATH: process.env.PATH },
    SECRET_KEY_FILE: join(folder, 'secret.key'),
  };
  const slugs = ['one', 'two', 'three', 'four'];
  const make = (slug: string) =>
    run(process.execPath, [bin, 'organization', 'create', slug, '--json'], { env });
  const made = await Promise.all(slugs.map(make));
  expect(made.map(({ stdout }) => (JSON.parse(stdout) as { slug: string }).slug)).toEqual(slugs);

  const db = new Sqlite(join(folder, 'gateway.db'), { readonly: true });
  expect(db.prepare('select count(*) from ledger').pluck().get()).toBe(4);
  expect(db.prepare('select count(*) from signing_keys').pluck().get()).toBe(1);
  db.close();
  expect(readdirSync(folder).filter((name) => name.startsWith('secret.key'))).toEqual([
    'secret.key',
  ]);
});

test('a secret key file is kept, and one that is none is not replaced', () => {
  const file = join(folderForTest(), 'secret.key');
  const fingerprint = loadSecretKey(file).fingerprint('text');
  const before = readFileSync(file, 'utf8');
  expect(loadSecretKey(file).fingerprint('text')).toBe(fingerprint);
  expect(readFileSync(file, 'utf8')).toBe(before);
});

test('a database that cannot be written to is not served', async () => {
  const h = await openGateway();
  const file = join(h.folder, 'gateway.db');
  // Root writes to any file: the engine itself is told that this one is for reading.
  const problem = await run(process.execPath, ['--input-type=module', '-e', readOnlyStart(file)])
    .then(() => '')
    .catch((error: { stderr: string }) => error.stderr);
  expect(problem).toContain('The database cannot be written to');
  chmodSync(file, 0o600);
});

/** Starts a gateway on a file whose every connection is for reading alone. */
const readOnlyStart = (file: string) => `
  import Sqlite from ${JSON.stringify(import.meta.resolve('better-sqlite3'))};
  const pragma = Sqlite.prototype.pragma;
  Sqlite.prototype.pragma = function (text, options) {
    const result = pragma.call(this, text, options);
    if (text.startsWith('busy_timeout')) pragma.call(this, 'query_only = ON');
    return result;
  };
  const { start } = await import(${JSON.stringify(resolve(import.meta.dirname, '../src/start.ts'))});
  const { readConfig } = await import(${JSON.stringify(resolve(import.meta.dirname, '../src/config.ts'))});
  await start({ ...readConfig({}), databaseUrl: 'sqlite:${file}', secretKeyFile: '${file}.key', logLevel: 'silent' });
`;

test('while another process holds the database, requests wait and others are answered', async () => {
  const h = await openGateway();
  const other = new Sqlite(join(h.folder, 'gateway.db'));
  const { tokenId } = h.demo.accessToken[0] ?? {};
  const path = `/api/v1/auth/token-auth/tokens/${tokenId}/revoke`;

  other.exec('begin immediate');
  const waiting = h.rest('POST', path, h.demo.callers.admin);
  for (let i = 0; i < 20; i++) expect((await h.rest('GET', '/health/live')).status).toBe(200);
  other.exec('commit');
  expect((await waiting).status).toBe(200);

  other.exec('begin immediate');
  const given = await h.rest('POST', path, h.demo.callers.admin);
  expect([given.status, given.headers['retry-after']]).toEqual([503, '1']);
  expect((await h.rest('GET', '/health/ready')).status).toBe(503);
  other.exec('commit');
  other.close();
  expect((await h.rest('GET', '/health/ready')).status).toBe(200);
});
