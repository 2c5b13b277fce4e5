import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { loadSecretKey } from '../src/keys/secret-key.ts';
import { emptyDatabaseIn, engine, past } from './engine.ts';
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
    ...{ DATABASE_URL: emptyDatabaseIn(folder), PATH: process.env.PATH },
    SECRET_KEY_FILE: join(folder, 'secret.key'),
  };
  const slugs = ['one', 'two', 'three', 'four'];
  const make = (slug: string) =>
    run(process.execPath, [bin, 'organization', 'create', slug, '--json'], { env });
  const made = await Promise.all(slugs.map(make));
  expect(made.map(({ stdout }) => (JSON.parse(stdout) as { slug: string }).slug)).toEqual(slugs);

  const other = await past(folder);
  expect(await other.all('select seq from ledger')).toHaveLength(4);
  expect(await other.all('select kid from signing_keys')).toHaveLength(1);
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

test('while another process holds the database, requests wait and others are answered', async () => {
  const h = await openGateway();
  const other = await past(h.folder);
  const hold = {
    sqlite: 'begin immediate',
    postgres: 'begin; lock table write_turns in exclusive mode',
  }[engine];
  const { tokenId } = h.demo.accessToken[0] ?? {};
  const path = `/api/v1/auth/token-auth/tokens/${tokenId}/revoke`;

  await other.all(hold);
  const waiting = h.rest('POST', path, h.demo.callers.admin);
  for (let i = 0; i < 20; i++) expect((await h.rest('GET', '/health/live')).status).toBe(200);
  await other.all('commit');
  expect((await waiting).status).toBe(200);

  await other.all(hold);
  const given = await h.rest('POST', path, h.demo.callers.admin);
  expect([given.status, given.headers['retry-after']]).toEqual([503, '1']);
  expect((await h.rest('GET', '/health/ready')).status).toBe(503);
  await other.all('commit');
  expect((await h.rest('GET', '/health/ready')).status).toBe(200);
}, 60_000);
