import { expect, test } from 'vitest';
import { credentials } from '../src/credentials/kinds.ts';
import { createDocuments } from '../src/graphql/documents.ts';
import { rulesOf } from '../src/graphql/rules.ts';
import { buildSchema } from '../src/graphql/schema.ts';

/** Documents are kept parsed and validated, and what is kept is bounded. */

const schema = buildSchema(credentials);
const open = () => createDocuments(schema, rulesOf('development'));
const document = (n: number, chars = 0) => `query q${n} { __typename }`.padEnd(chars);

test('a document is read once', () => {
  const documents = open();
  expect(documents(document(1)).errors).toEqual([]);
  expect(documents(document(1))).toBe(documents(document(1)));
  expect(documents(document(1))).not.toBe(documents(document(2)));
});

test.each([
  ['cannot be parsed', '{'],
  ['is not valid', '{ nowhere }'],
  ['is longer than 10,000 characters', document(1, 10_001)],
])('a document that %s is read each time', (_what, text) => {
  const documents = open();
  const read = documents(text);
  expect(documents(text)).toEqual(read);
  expect(documents(text)).not.toBe(read);
});

test.each([
  ['500 documents', 500, 30],
  ['100,000 characters', 10, 10_000],
])('%s are kept, and what was asked longest ago goes first', (_what, count, chars) => {
  const documents = open();
  const reads = Array.from({ length: count }, (_, n) => documents(document(n, chars)));
  for (const [n, read] of reads.entries()) expect(documents(document(n, chars))).toBe(read);
  documents(document(count, chars));
  expect(documents(document(1, chars))).toBe(reads[1]);
  expect(documents(document(0, chars))).not.toBe(reads[0]);
});
