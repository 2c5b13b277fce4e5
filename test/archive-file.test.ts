import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { draft } from '../src/draft.ts';
import { checkArchive } from '../src/retention/archive-file.ts';
import { past } from './engine.ts';
import { openGateway } from './harness.ts';
import { newFolder } from './processes.ts';
import { addEntries, archiveNow } from './retention.ts';

/** Two commands that make one file: it has its name only once it is whole, and nobody takes it over. */

test('what another has begun is neither removed nor published', async () => {
  const folder = newFolder();
  const file = join(folder, 'archive.jsonl');
  const first = await draft(file);
  await first.write('first, ');
  const second = await draft(file);
  await second.write('half of the second');
  await first.write('whole');
  await first.publish();
  await first.discard();
  expect(readFileSync(file, 'utf8')).toBe('first, whole');
  await expect(second.publish()).rejects.toThrow(`Another process has made ${file} meanwhile.`);
  await second.discard();
  expect(readFileSync(file, 'utf8')).toBe('first, whole');
  expect(readdirSync(folder)).toEqual(['archive.jsonl']);
});

test('two that archive to one file at once leave one that is whole', async () => {
  const h = await openGateway();
  await addEntries(await past(h.folder), 'acme', 1_000);
  const both = await Promise.allSettled([archiveNow(h, 'a.jsonl'), archiveNow(h, 'a.jsonl')]);
  expect(both.map(({ status }) => status)).toContain('fulfilled');
  expect(await checkArchive(join(h.folder, 'a.jsonl'))).toMatchObject({
    firstSeq: 1,
    lastSeq: 999,
  });
  expect((await h.ledger()).map(({ seq }) => seq)).toEqual([1000, 1001]);
  expect(readdirSync(h.folder).filter((name) => name.endsWith('.partial'))).toEqual([]);
});
