import { expect, test } from 'vitest';
import { credentials } from '../src/credentials/kinds.ts';
import { ID_CHARS_MAX, IDS_MAX } from '../src/credentials/revoke-many.ts';
import { GRAPHQL_BODY_BYTES_MAX } from '../src/graphql/mount.ts';
import { kindValue } from '../src/graphql/types.ts';
import { CHUNK_MS } from '../src/perform-many.ts';
import { blocks, column, page, quoted, rows, section } from './markdown.ts';
import { paste } from './pasting.ts';
import { newFolder, serve, settingsIn } from './processes.ts';

/** What the page about many at once says is so. */

const text = page('docs/revoke-many.md');

test('the example is answered as printed', async () => {
  const settings = settingsIn(newFolder());
  const { url } = await serve(settings, 'demo');
  const [example, answer] = blocks(text);
  expect(await paste(example?.code ?? '', url, settings)).toBe(answer?.code.trimEnd());
});

test('the table has every kind, with the parts of its address', () => {
  const part = section(text, '## Ids');
  expect(column(part, 0).flatMap(quoted).toSorted()).toEqual(
    credentials.map(({ graph }) => kindValue(graph.kind)).toSorted(),
  );
  for (const { graph } of credentials) {
    const row = rows(part).find(([kinds = '']) => quoted(kinds).includes(kindValue(graph.kind)));
    const fields = Object.keys(graph.input);
    if (fields.length > 1) expect(quoted(row?.[1] ?? '')).toContain(fields.join('/'));
  }
});

test('the limits are those of the code', () => {
  const said = (number: number) => number.toLocaleString('en');
  for (const limit of [`up to ${said(IDS_MAX)} of`, `${ID_CHARS_MAX} characters`]) {
    expect(text).toContain(limit);
  }
  expect(text).toContain(`for ${CHUNK_MS} ms`);
  // Quotes and a comma around each, and some for the rest.
  expect(IDS_MAX * (100 + 3) + 10_000).toBeLessThan(GRAPHQL_BODY_BYTES_MAX);
  expect(2_500 * (ID_CHARS_MAX + 3) + 10_000).toBeLessThan(GRAPHQL_BODY_BYTES_MAX);
});
