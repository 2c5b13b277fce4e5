import { expect, test } from 'vitest';
import { openGateway } from './harness.ts';

/** Parts of something long in the commit queue. */

test('each has a commit of its own, and what has come is committed before the next', async () => {
  const seen: string[] = [];
  let looking = false;
  const h = await openGateway({
    log: ({ query }) => {
      if (looking && query.sql === 'commit') seen.push('commit');
    },
  });
  const { writes } = h.running.gateway;
  const note = (what: string) => async () => void seen.push(what);
  looking = true;
  const parts = ['part 1', 'part 2', 'part 3'].map((part) => writes.runPart(note(part)));
  const other = writes.run(note('one'));
  const later = parts[0]?.then(() => writes.run(note('two')));
  await Promise.all([...parts, other, later]);
  looking = false;
  expect(seen.filter((each, i) => each !== 'commit' || seen[i - 1] !== 'commit')).toEqual([
    ...['one', 'commit'],
    ...['part 1', 'commit'],
    ...['two', 'commit'],
    ...['part 2', 'commit'],
    ...['part 3', 'commit'],
  ]);
});

test('a part that throws leaves nothing behind, and harms no other', async () => {
  const h = await openGateway();
  const { writes } = h.running.gateway;
  const insert = (kid: string, fault?: Error) =>
    writes.runPart(async (tx) => {
      const times = { created_at_ms: 1, retired_at_ms: null };
      const row = { kid, public_jwk: '{}', private_jwe: '', ...times };
      await tx.insertInto('signing_keys').values(row).execute();
      if (fault !== undefined) throw fault;
    });
  const before = insert('before');
  const lost = insert('lost', new Error('after its first statement'));
  const after = insert('after');
  await expect(lost).rejects.toThrow('after its first statement');
  await Promise.all([before, after]);
  const rows = await h.running.database.reader.selectFrom('signing_keys').select('kid').execute();
  const kids = rows.map(({ kid }) => kid);
  expect(kids).toEqual(expect.arrayContaining(['before', 'after']));
  expect(kids).not.toContain('lost');
});
