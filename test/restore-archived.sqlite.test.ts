import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { backUp, filled, type Restored, restoreFrom } from './backups.ts';
import { gateway, gatewayJson, serve } from './processes.ts';
import { archivedBy } from './retention.ts';

/** What was archived since a backup is missing from it as what is in the ledger is. */

type Given = Awaited<ReturnType<typeof filled>>;

/** Revokes API keys of the demo; the ids of their rows. */
async function revoke({ env, demo }: Given, from: number, to: number): Promise<string[]> {
  const served = await serve(env);
  const headers = { authorization: `Bearer ${demo.callers.admin}` };
  const keys = demo.apiKey.slice(from, to);
  for (const { applicationId, keyId } of keys) {
    const path = `/api/v1/applications/${applicationId}/api-keys/${keyId}`;
    expect((await fetch(served.url + path, { method: 'DELETE', headers })).status).toBe(200);
  }
  served.kill('SIGTERM');
  await served.ended;
  return keys.map(({ keyId = '' }) => keyId);
}

/** Adds entries 3 to 8 to a ledger of two. */
async function goOn({ env }: Given): Promise<void> {
  for (const slug of ['initech', 'umbrella', 'hooli', 'stark', 'wayne', 'tyrell']) {
    await gatewayJson(env, 'organization', 'create', slug);
  }
}

/** A backup up to entry 2, and 8 entries since: two archives say so, and 6 are revocations, 4 of them archived. */
async function archivedSince() {
  const given = await filled(8);
  await revoke(given, 0, 2);
  await backUp(given.env, given.at('backup.db'));
  const revoked = await revoke(given, 2, 6);
  const first = await archivedBy(given.env, given.at('first.jsonl'));
  expect(first.archived).toMatchObject({ firstSeq: 1, lastSeq: 5 });
  revoked.push(...(await revoke(given, 6, 7)));
  const second = await archivedBy(given.env, given.at('second.jsonl'));
  expect(second.archived).toMatchObject({ firstSeq: 6, lastSeq: 7 });
  revoked.push(...(await revoke(given, 7, 8)));
  return { ...given, revoked };
}

/** What `restore missing` says, and the ids that it lists. */
async function missing({ env }: Given, { keptAs }: Restored) {
  const ended = await gateway(env, 'restore', 'missing', keptAs ?? '', '--json');
  const lines = ended.stdout.split('\n').slice(0, -1);
  return { ...ended, ids: lines.map((line) => JSON.parse(line).id) };
}

const restoreWith = ({ env, at }: Given, ...more: string[]) =>
  gateway(env, 'restore', '--from', at('backup.db'), ...more);

test('revocations are counted and listed, archived or not', async () => {
  const given = await archivedSince();
  const restored = await restoreFrom(given.env, given.at('backup.db'));
  // Entries 3 to 10: two of them say what was archived.
  expect(restored).toMatchObject({
    lastSeq: 2,
    missing: { entries: 8, revocations: 6, unreadArchives: [] },
  });
  expect(await missing(given, restored)).toMatchObject({
    ...{ code: 0, stderr: '', ids: given.revoked },
  });
  // What comes now has numbers that the archives have for others.
  await goOn(given);
  await archivedBy(given.env, given.at('third.jsonl'));
  await revoke(given, 2, 8);
  expect((await missing(given, restored)).ids).toEqual(given.revoked);
}, 120_000);

test('archives that the backup knows of are not looked at', async () => {
  const given = await archivedSince();
  await backUp(given.env, given.at('later.db'));
  await gatewayJson(given.env, 'organization', 'create', 'initech');
  await archivedBy(given.env, given.at('third.jsonl'));
  for (const name of ['first.jsonl', 'second.jsonl']) rmSync(given.at(name));
  const restored = await restoreFrom(given.env, given.at('later.db'));
  expect(restored.missing).toMatchObject({ entries: 2, revocations: 0, unreadArchives: [] });
}, 120_000);

test('the database that was replaced takes its place again', async () => {
  const given = await archivedSince();
  const { keptAs } = await restoreFrom(given.env, given.at('backup.db'));
  await gatewayJson(given.env, 'organization', 'create', 'initech');
  const back = await restoreFrom(given.env, keptAs ?? '');
  expect(back.missing).toMatchObject({ entries: 1, revocations: 0, unreadArchives: [] });
  expect((await missing(given, back)).ids).toEqual([]);
}, 120_000);

/** What becomes of the first archive, and what is said of it. */
const spoilt: [(file: string) => void, RegExp][] = [
  [(file) => renameSync(file, `${file}.away`), /ENOENT/],
  [
    (file) => writeFileSync(file, readFileSync(file, 'utf8').split('\n').slice(0, -2).join('\n')),
    /first\.jsonl is no archive that is whole: it has no last line/,
  ],
  [
    (file) => writeFileSync(file, readFileSync(file.replace('first', 'second'))),
    /its digest is not sha256:[\da-f]{64}/,
  ],
];

test('an archive that cannot be read is named, with how much it holds', async () => {
  const given = await archivedSince();
  const file = given.at('first.jsonl');
  const whole = readFileSync(file);
  rmSync(file);
  const { code, stdout, stderr } = await restoreWith(given, '--json');
  const restored: Restored = JSON.parse(stdout);
  const unread = { file, firstSeq: 3, lastSeq: 5, entries: 3, why: expect.any(String) };
  expect(restored.missing).toMatchObject({
    ...{ entries: 8, revocations: 3, unreadArchives: [unread] },
  });
  const said = `Revocations among entries 3 to 5 (3) are not known: they are archived in ${file}, `;
  expect([code, stderr]).toEqual([3, expect.stringMatching(/^.+\n$/)]);
  expect(stderr.startsWith(said)).toBe(true);
  for (const [spoil, why] of spoilt) {
    writeFileSync(file, whole);
    spoil(file);
    const listed = await missing(given, restored);
    expect(listed).toMatchObject({ code: 3, ids: given.revoked.slice(3) });
    expect(listed.stderr.startsWith(said)).toBe(true);
    expect(listed.stderr).toMatch(why);
  }
  // Once the two differ behind it, any entry of it may be another than theirs.
  await goOn(given);
  expect((await missing(given, restored)).stderr).toContain('entries 1 to 5 (5) are not known');
  writeFileSync(file, whole);
  const after = await missing(given, restored);
  expect(after).toMatchObject({ code: 0, stderr: '', ids: given.revoked });
}, 120_000);

test('people are told that there may be more', async () => {
  const given = await archivedSince();
  rmSync(given.at('second.jsonl'));
  const { code, stdout, stderr } = await restoreWith(given);
  expect(code).toBe(3);
  expect(stdout).toContain('Revocations among them, which count no more: at least 5.\n');
  expect(stderr).toContain(`(2) are not known: they are archived in ${given.at('second.jsonl')},`);
}, 120_000);
