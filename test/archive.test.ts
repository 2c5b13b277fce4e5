import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { draftsOf } from '../src/draft.ts';
import { checkArchive } from '../src/retention/archive-file.ts';
import { openGateway } from './harness.ts';
import { gateway, gatewayJson, newFolder, settingsIn } from './processes.ts';
import { archiveBy, archivedBy, readArchive } from './retention.ts';
import {
  deliveriesTo,
  makeHook,
  mutate,
  openReaching,
  revokeKey,
  untilAcknowledged,
} from './targets.ts';

/** `gateway archive`, as an operator runs it beside a gateway. */

/** A gateway with a webhook that has acknowledged some revocations, and an organization without any. */
async function withRevocations(count = 3) {
  const h = await openReaching({ count: count + 2 });
  const hook = await makeHook(h, 'all');
  const ids: string[] = [];
  for (let i = 0; i < count; i++) ids.push(await revokeKey(h, i));
  await untilAcknowledged(h, hook, count);
  return { h, hook, ids, env: settingsIn(h.folder), file: (name: string) => join(h.folder, name) };
}

const digestOf = (lines: readonly string[]) =>
  `sha256:${createHash('sha256')
    .update(lines.map((line) => `${line}\n`).join(''))
    .digest('hex')}`;

test('a range is in the file as it was, and in the ledger no more', async () => {
  const { h, hook, env, file } = await withRevocations();
  const before = await h.ledger();
  const delivered = await deliveriesTo(h, hook);
  const { archived, waitsFor } = await archivedBy(env, file('a.jsonl'));

  const newest = before.at(-1);
  const gone = before.slice(0, -1);
  const { lines, header, entries, trailer } = readArchive(file('a.jsonl'));
  expect(header).toEqual({ type: 'archive', version: 1, firstSeq: 1, previousDigest: null });
  expect(entries.map(({ deliveries: _its, ...entry }) => entry)).toEqual(gone);
  expect(
    entries.flatMap(({ seq, deliveries }) => deliveries.map((each) => ({ seq, ...each }))),
  ).toEqual(delivered.filter(({ seq }) => seq !== newest?.seq));
  const counted = { entries: gone.length, deliveries: 2, lastSeq: gone.length };
  expect(trailer).toEqual({ type: 'end', ...counted, digest: digestOf(lines.slice(0, -1)) });
  expect(archived).toMatchObject({ firstSeq: 1, ...counted, digest: trailer.digest });
  expect(waitsFor).toBeNull();
  expect(statSync(file('a.jsonl')).mode & 0o777).toBe(0o600);
  expect(await draftsOf(file('a.jsonl'))).toEqual([]);

  const left = await h.ledger();
  expect(left.map(({ seq, action }) => [seq, action])).toEqual([
    [newest?.seq, 'revoke'],
    [before.length + 1, 'archive'],
  ]);
  expect((await deliveriesTo(h, hook)).map(({ seq }) => seq)).toEqual([newest?.seq]);
});

test('the ledger says what was archived, and numbers go on', async () => {
  const { h, ids, env, file } = await withRevocations();
  const lastAt = (await h.ledger()).at(-2)?.at_ms ?? 0;
  const { archived } = await archivedBy(env, file('a.jsonl'));
  await revokeKey(h, 3);
  const asked = `query ($id: ID!, $after: String) { me { archivedUntil revocation(id: $id) { id }
    ledger(after: $after) { edges { node { seq action kind target comment outcome surface } } }
    revocations { edges { node { id } } } } }`;
  const { data } = await h.graphql<{ me: Record<string, unknown> }>(
    asked,
    { id: ids[0] },
    h.demo.callers.admin,
  );
  const { me } = data as { me: { ledger: { edges: { node: { seq: number } }[] } } };
  expect(me).toMatchObject({ archivedUntil: new Date(lastAt).toISOString(), revocation: null });
  const [, entry] = me.ledger.edges.map(({ node }) => node);
  expect(me.ledger.edges.map(({ node }) => node.seq)).toEqual([6, 5, 4]);
  expect(entry).toEqual({
    ...{ seq: 5, action: 'ARCHIVE', kind: 'ORGANIZATION', outcome: 'DONE', surface: 'cli' },
    ...{ target: '1-3', comment: archived?.digest },
  });
  // A page behind a cursor that is archived is empty.
  const { data: behind } = await h.graphql(asked, { id: ids[0], after: '3' }, h.demo.callers.admin);
  expect(behind).toMatchObject({ me: { ledger: { edges: [] } } });
  const other = await h.graphql(asked, { id: ids[0] }, h.demo.callers.outsider);
  expect(other.data).toMatchObject({ me: { archivedUntil: null, ledger: { edges: [] } } });
  const viewer = await h.graphql('{ me { archivedUntil } }', {}, h.demo.callers.viewer);
  expect(viewer.data).toEqual({ me: { archivedUntil: null } });

  // What is revoked stays so, whether or not the ledger still says since when.
  const { applicationId, keyId = '' } = h.demo.apiKey[0] ?? {};
  expect((await h.row(keyId)).revocation_id).toBe(ids[0]);
  const path = `/api/v1/applications/${applicationId}/api-keys/${keyId}`;
  expect((await h.rest('DELETE', path, h.demo.callers.admin)).status).toBe(404);
});

test('archives prove that each follows the one before', async () => {
  const { h, env, file } = await withRevocations();
  const first = await archivedBy(env, file('a.jsonl'));
  await revokeKey(h, 3);
  const hookless = await archivedBy(env, file('b.jsonl'));
  expect(hookless.archived).toMatchObject({
    firstSeq: (first.archived?.lastSeq ?? 0) + 1,
    previousDigest: first.archived?.digest,
  });
  const check = (...files: string[]) => gateway(env, 'archive', 'check', ...files);
  expect(await check(file('a.jsonl'), file('b.jsonl'))).toMatchObject({ code: 0, stderr: '' });
  expect((await check(file('b.jsonl'), file('a.jsonl'))).stderr).toMatch(
    /a\.jsonl does not follow/,
  );

  const text = readFileSync(file('a.jsonl'), 'utf8');
  const lines = text.split('\n');
  const broken: [string, string, RegExp][] = [
    ['changed', text.replace('"actor":"demo"', '"actor":"dome"'), /its digest should be sha256:/],
    ['shortened', lines.slice(0, -2).join('\n'), /it has no last line/],
    ['thinned', [...lines.slice(0, 1), ...lines.slice(2)].join('\n'), /entry 1 is missing/],
    ['lengthened', `${text}{}\n`, /something follows its last line/],
    ['something else', 'hello\n', /its first line is no header/],
    ['empty', '', /it has no last line/],
  ];
  for (const [how, changed, words] of broken) {
    writeFileSync(file('broken.jsonl'), changed);
    const checked = checkArchive(file('broken.jsonl'));
    await expect(checked, how).rejects.toThrow(words);
  }
});

test('a range ends before what still owes a delivery, and says whom', async () => {
  const h = await openReaching({ count: 5 });
  await revokeKey(h, 0);
  const hook = await makeHook(h, 'down', (response) => response.writeHead(503).end());
  const id = await revokeKey(h, 1);
  await revokeKey(h, 2);
  const env = settingsIn(h.folder);
  const { archived, waitsFor } = await archivedBy(env, join(h.folder, 'a.jsonl'));
  expect(archived).toMatchObject({ firstSeq: 1, lastSeq: 2 });
  const target = { id: hook.id, kind: 'webhook', name: 'down', organization: 'acme' };
  expect(waitsFor).toEqual({ seq: 3, targets: [target] });

  const args = ['--before', new Date().toISOString(), '--to', join(h.folder, 'b.jsonl')];
  const again = await gateway(env, 'archive', ...args);
  expect(again.stdout).toContain(`entry 3 is still owed to\n  webhook down of acme (${hook.id})`);
  expect(existsSync(join(h.folder, 'b.jsonl'))).toBe(false);
  const input = { targetId: hook.id, revocationId: id, reason: 'seen to' };
  expect(await mutate(h, 'closeDelivery', input, 'target { id }')).not.toHaveProperty('code');
  expect((await archivedBy(env, join(h.folder, 'b.jsonl'))).archived).toMatchObject({
    ...{ firstSeq: 3, lastSeq: 3, deliveries: 1 },
  });
});

test('only what is old enough is archived, and nothing makes no file', async () => {
  let atMs = Date.now() - 10 * 86_400_000;
  const h = await openGateway({ count: 5, now: () => atMs });
  const token = h.demo.callers.personalAccessToken;
  for (const { applicationId, keyId } of h.demo.apiKey) {
    await h.rest('DELETE', `/api/v1/applications/${applicationId}/api-keys/${keyId}`, token);
    atMs += 86_400_000;
  }
  const env = settingsIn(h.folder);
  const file = join(h.folder, 'a.jsonl');
  const ask = (...args: string[]) => gateway(env, 'archive', ...args, '--to', file, '--json');
  const read = ({ stdout }: { stdout: string }) => JSON.parse(stdout).archived?.lastSeq ?? null;
  expect(read(await ask('--keep', '30d'))).toBeNull();
  expect(existsSync(file)).toBe(false);
  const before = new Date(atMs - 3 * 86_400_000).toISOString();
  expect(read(await ask('--before', before, '--dry-run'))).toBe(2);
  expect(read(await ask('--keep', '200h', '--dry-run'))).toBe(2);
  expect(existsSync(file)).toBe(false);
  expect(await h.ledger()).toHaveLength(5);
  expect(read(await ask('--before', before))).toBe(2);
  expect((await h.ledger()).map(({ seq }) => seq)).toEqual([3, 4, 5, 6]);
});

test('a file that is there is left as it is', async () => {
  const { h, env, file } = await withRevocations();
  writeFileSync(file('a.jsonl'), 'mine');
  const before = await h.ledger();
  const { code, stderr } = await archiveBy(env, file('a.jsonl'));
  expect([code, stderr]).toEqual([1, expect.stringContaining('choose another name with --to')]);
  expect(readFileSync(file('a.jsonl'), 'utf8')).toBe('mine');
  expect(await h.ledger()).toEqual(before);

  await archivedBy(env, file('b.jsonl'));
  const text = readFileSync(file('b.jsonl'), 'utf8');
  await revokeKey(h, 3);
  expect((await archiveBy(env, file('b.jsonl'))).stderr).toContain('entries up to 3 are archived');
  expect(readFileSync(file('b.jsonl'), 'utf8')).toBe(text);
});

test('two at once archive each entry once', async () => {
  const { h, env, file } = await withRevocations();
  const before = (await h.ledger()).slice(0, -1);
  const files = ['a.jsonl', 'b.jsonl'].map(file);
  const ended = await Promise.all(files.map((each) => archiveBy(env, each)));
  expect(ended.map(({ code }) => code)).toContain(0);
  const recorded = await h.running.database.reader.selectFrom('archives').selectAll().execute();
  const held = recorded.flatMap((each) => readArchive(each.file).entries.map(({ seq }) => seq));
  expect(held.slice(0, before.length)).toEqual(before.map(({ seq }) => seq));
  expect(new Set(held).size).toBe(held.length);
  const told = (await h.ledger()).filter(({ action }) => action === 'archive');
  expect(told.length).toBeLessThanOrEqual(recorded.length);
});

test.each<[string, string[], RegExp]>([
  ['no range', ['--to', 'a'], /--before or --keep/],
  ['no file', ['--keep', '1d'], /with --to/],
  ['both ranges', ['--keep', '1d', '--before', '2020-01-01', '--to', 'a'], /cannot be used with/],
  ['no date', ['--before', 'yesterday', '--to', 'a'], /a date such as 2026-01-31/],
  ['a date to come', ['--before', '2999-01-01', '--to', 'a'], /not in the future/],
  ['a number without a unit', ['--keep', '90', '--to', 'a'], /such as 90s, 15m/],
])('%s: says what to do', async (_what, args, words) => {
  const { code, stdout, stderr } = await gateway(settingsIn(newFolder()), 'archive', ...args);
  expect([code, stdout, stderr]).toEqual([1, '', expect.stringMatching(words)]);
  expect(stderr).not.toMatch(/^\s+at /m);
});

test('a file that cannot be made: says why, and nothing is archived', async () => {
  const folder = newFolder();
  const env = settingsIn(folder);
  await gatewayJson(env, 'organization', 'create', 'acme');
  await gatewayJson(env, 'organization', 'create', 'globex');
  const { code, stderr } = await archiveBy(env, join(folder, 'missing', 'a.jsonl'));
  expect([code, stderr]).toEqual([1, expect.stringMatching(/cannot be written.*ENOENT/)]);
  expect((await archivedBy(env, join(folder, 'a.jsonl'))).archived).toMatchObject({ lastSeq: 1 });
});
