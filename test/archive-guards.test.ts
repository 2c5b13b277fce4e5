import { expect, test } from 'vitest';
import { engine, type Past, past } from './engine.ts';
import { openGateway } from './harness.ts';
import { addEntries, archiveNow } from './retention.ts';

/** What the database itself holds to, whoever asks it: nothing goes but what is archived. */

const appendOnly = 'the ledger is append-only';
const stays = 'a delivery stays until it is archived';
const follows = 'an archive follows the one before, and leaves the newest entry';

async function withEntries() {
  const h = await openGateway();
  const other = await past(h.folder);
  await addEntries(other, 'acme', 10);
  const { id = '' } = (await other.all<{ id: string }>('select id from targets'))[0] ?? {};
  return { h, other, target: id };
}

/** Says that a range is archived. */
const say = (other: Past, first: number, last: number) =>
  other.all(
    `insert into archives (first_seq, last_seq, last_at_ms, entries, deliveries, digest, file,
       archived_at_ms, told_organization_id)
     values (${first}, ${last}, 1, 1, 1, 'sha256:', 'file', 1, '')`,
  );

const refused = (other: Past, statement: string, message: string) =>
  expect(other.all(statement), statement).rejects.toThrow(message);

test('outside of an archived range nothing can be removed', async () => {
  const { h, other } = await withEntries();
  await refused(other, 'delete from deliveries where seq = 1', stays);
  await say(other, 1, 4);
  await refused(other, 'delete from deliveries', stays);
  await refused(other, 'delete from deliveries where seq = 5', stays);
  await other.all('delete from deliveries where seq <= 4');
  await refused(other, 'delete from ledger', appendOnly);
  await refused(other, 'delete from ledger where seq = 5', appendOnly);
  await refused(other, 'update ledger set seq = 1 where seq = 5', appendOnly);
  await refused(other, "update ledger set comment = 'x' where seq = 4", appendOnly);
  await other.all('delete from ledger where seq <= 4');
  expect((await h.ledger()).map(({ seq }) => seq)).toEqual([5, 6, 7, 8, 9, 10]);
});

test('what is owed is never removed, archived or not', async () => {
  const { other, target } = await withEntries();
  const [open, acknowledged] = ['acknowledged_at_ms = null', 'acknowledged_at_ms = 1'];
  await other.all(`update deliveries set ${open} where seq = 2`);
  await say(other, 1, 4);
  await refused(other, 'delete from deliveries where seq = 2', stays);
  await expect(other.all('delete from ledger where seq = 2')).rejects.toThrow(/foreign key/i);
  await other.all(`update deliveries set ${acknowledged} where seq = 2`);
  await other.all(`delete from deliveries where seq = 2 and target_id = '${target}'`);
});

test.each([
  ['skips entries', 2, 4],
  ['has the newest entry', 1, 10],
  ['goes beyond the ledger', 1, 20],
  ['is empty', 1, 0],
])('an archive that %s cannot be recorded', async (_how, first, last) => {
  const { other } = await withEntries();
  await expect(say(other, first, last)).rejects.toThrow(follows);
});

test('of an empty ledger nothing can be recorded as archived', async () => {
  const h = await openGateway();
  const other = await past(h.folder);
  expect(await h.ledger()).toEqual([]);
  await expect(say(other, 1, 1_000_000)).rejects.toThrow(follows);
});

test('archives follow each other, and stay as they are', async () => {
  const { other } = await withEntries();
  await say(other, 1, 4);
  for (const [first, last] of [
    [1, 5],
    [4, 6],
    [6, 7],
  ] as const) {
    await expect(say(other, first, last)).rejects.toThrow(follows);
  }
  await say(other, 5, 9);
  for (const statement of [
    'update archives set last_seq = 9 where last_seq = 4',
    "update archives set digest = 'another'",
    'delete from archives',
    ...(engine === 'postgres' ? ['truncate archives'] : []),
  ]) {
    await refused(other, statement, 'an archive stays');
  }
  await other.all("update archives set removed_at_ms = 1, told_organization_id = 'x'");
});

test('numbers are given once: none of what was archived, and none of what is there', async () => {
  const { h, other } = await withEntries();
  await archiveNow(h, 'a.jsonl');
  const insert = (seq: string) =>
    other.all(
      `insert into ledger select ${seq}, 'x', organization_id, at_ms, action, kind, target_id, target,
       outcome, refusal, reason, comment, actor, actor_id, surface, request_id from ledger where seq = 10`,
    );
  await expect(insert('10')).rejects.toThrow();
  // PostgreSQL lets nobody take it by a number that is chosen like the gateway's either.
  if (engine === 'sqlite') await expect(insert('3')).rejects.toThrow(appendOnly);
  await insert('(select max(seq) + 1 from ledger)');
  expect((await h.ledger()).map(({ seq }) => seq)).toEqual([10, 11, 12]);
});
