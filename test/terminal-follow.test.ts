import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { type Entry, entriesOf, mint, printed, revokeSome } from './followers.ts';
import { gateway, settingsIn } from './processes.ts';
import { jsonOf, openTerminal, tableOf } from './terminal.ts';

/** `gateway ledger --follow`: whatever happens to the gateway, each entry is printed once and in order. */

test('goes on behind where it was, though the gateway was killed: all, in order, once', async () => {
  const t = await openTerminal({ tokens: 180 });
  await revokeSome(t, t.ids.slice(0, 3));
  const follower = t.launch(['ledger', '--follow', '--json', '-n', '2']);
  await printed(follower, 2);
  await revokeSome(t, t.ids.slice(3, 6));
  await printed(follower, 5);

  t.served.kill('SIGKILL');
  await t.served.ended;
  await vi.waitUntil(() => follower.output.stderr.includes('Trying again'), { timeout: 20_000 });
  await mint(t);
  const again = await t.serveAgain();
  // More than a page.
  await revokeSome(t, t.ids.slice(6, 170));
  again.kill('SIGTERM');
  await again.ended;
  await t.serveAgain();
  await revokeSome(t, t.ids.slice(170));
  const all = await entriesOf(t);
  await printed(follower, all.length - 1);
  follower.kill('SIGINT');
  const { code, signal, stdout, stderr } = await follower.ended;
  expect({ code, signal }).toEqual({ code: 0, signal: null });
  expect(jsonOf<Entry>(stdout).map(({ seq, id }) => ({ seq, id }))).toEqual(all.slice(1));
  // One outage may begin before the end of the other is noticed.
  expect(stderr).toMatch(/^(\S.* Trying again\.\nAnswered again\.\n){1,2}$/);
}, 120_000);

test('prints a table too, from now on if nothing before is wanted', async () => {
  const t = await openTerminal({ tokens: 2 });
  await revokeSome(t, t.ids.slice(0, 1));
  const follower = t.launch(['ledger', '-f', '-n', '0']);
  // It has read where it begins once it has been answered twice.
  await new Promise((done) => setTimeout(done, 1_500));
  expect(follower.output.stdout).toBe('');
  await revokeSome(t, t.ids.slice(1));
  await printed(follower, 2);
  follower.kill('SIGTERM');
  const { code, stdout } = await follower.ended;
  expect([code, tableOf(stdout).map((row) => row.at(-1))]).toEqual([0, t.ids.slice(1)]);
});

test('follows an empty ledger', async () => {
  const t = await openTerminal({ tokens: 1 });
  const follower = t.launch(['ledger', '--follow', '--json']);
  await revokeSome(t, t.ids);
  await printed(follower, 1);
  follower.kill('SIGINT');
  const { code, stdout } = await follower.ended;
  expect([code, jsonOf<Entry>(stdout).map(({ target }) => target)]).toEqual([0, t.ids]);
});

test('ends where the token is revoked, and says why', async () => {
  const t = await openTerminal();
  const { id, token } = await mint(t);
  const env = { GATEWAY_TOKEN: token };
  const follower = t.launch(['ledger', '--follow', '--json'], { env });
  await printed(follower, 1);
  expect((await t.run(['revoke', 'access-token', id])).code).toBe(0);
  const { code, stderr } = await follower.ended;
  expect([code, stderr]).toEqual([1, expect.stringMatching(/does not let you in/)]);
});

test('says where entries were archived before they were told, and goes on', async () => {
  const t = await openTerminal();
  await mint(t);
  const follower = t.launch(['ledger', '--follow', '--json']);
  await printed(follower, 1);
  t.served.kill('SIGKILL');
  await t.served.ended;
  const missed = await mint(t);
  // The newest entry is never archived.
  await mint(t);
  await new Promise((done) => setTimeout(done, 5));
  const archive = ['archive', '--before', new Date().toISOString(), '--to'];
  const settings = settingsIn(t.folder);
  const archived = await gateway(settings, ...archive, join(t.folder, 'a.jsonl'));
  expect([archived.code, archived.stderr]).toEqual([0, '']);
  await t.serveAgain();
  await printed(follower, 3);
  // All that is archived from here on has been told.
  await new Promise((done) => setTimeout(done, 1_000));
  archive[2] = new Date().toISOString();
  expect((await gateway(settings, ...archive, join(t.folder, 'b.jsonl'))).code).toBe(0);
  await printed(follower, 4);
  follower.kill('SIGINT');
  const { stdout, stderr } = await follower.ended;
  const told = jsonOf<Entry>(stdout);
  expect(told.map(({ action }) => action)).toEqual(['CREATE', 'CREATE', 'ARCHIVE', 'ARCHIVE']);
  expect(stdout).not.toContain(missed.id);
  expect(stderr.match(/^Entries behind \d+ may be missing here: .* archived\.$/gm)).toHaveLength(1);
}, 60_000);
