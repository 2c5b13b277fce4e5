import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

/** The house rules that a compiler does not know; each failure names the file and what to do. */

const root = resolve(import.meta.dirname, '..');
const files = ['src', 'db', 'test', 'bench']
  .flatMap((folder) => globSync(`${folder}/**/*.ts`, { cwd: root }))
  .filter((file) => !file.includes('node_modules'))
  .map((file) => ({ file, text: readFileSync(join(root, file), 'utf8') }));
const source = files.filter(({ file }) => !file.startsWith('test'));

/** The project's own files that a file imports. */
function importsOf({ file, text }: { file: string; text: string }): string[] {
  return [...text.matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)].map(([, path = '']) =>
    relative(root, resolve(root, dirname(file), path)),
  );
}

const LINES_MAX = 250;

test(`no file is longer than ${LINES_MAX} lines: split it where it does two things`, () => {
  const long = files.filter(({ text }) => text.split('\n').length > LINES_MAX + 1);
  expect(long.map(({ file }) => file)).toEqual([]);
});

test('settings are read by the two files for it alone: take a value from them', () => {
  const readers = source.filter(({ text }) => text.includes('process.env'));
  expect(readers.map(({ file }) => file).sort()).toEqual(['src/client-config.ts', 'src/config.ts']);
});

test('no file only passes on what others export: import from the file that defines it', () => {
  const barrels = source.filter(({ text }) => /^export (\*|\{[^}]*\}) from/m.test(text));
  expect(barrels.map(({ file }) => file)).toEqual([]);
});

test('every file is used: delete what nothing imports', () => {
  const byName = new Map(source.map((each) => [each.file, each]));
  const seen = new Set<string>();
  const visit = (file: string) => {
    const each = byName.get(file);
    if (each === undefined || seen.has(file)) return;
    seen.add(file);
    for (const imported of importsOf(each)) visit(imported);
  };
  const { exports, scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const commands = Object.values<string>(scripts).flatMap((script) => script.split(' '));
  const published = Object.values<string>(exports).map((path) =>
    path.replace(/^\.\/dist\/(.+)\.js$/, 'src/$1.ts'),
  );
  for (const file of ['src/main.ts', ...published, ...commands]) visit(file);
  // Whoever needs a declaration has it without an import.
  const unused = source.filter(({ file }) => !seen.has(file) && !file.endsWith('.d.ts'));
  expect(unused.map(({ file }) => file)).toEqual([]);
});

test('no test is skipped, left to do, or run alone', () => {
  const marks = /\b(?:test|it|describe)\.(?:skip|todo|only|skipIf|runIf)\b|@ts-(?:ignore|nocheck)/;
  const marked = files.filter(
    ({ file, text }) => marks.test(text) && !file.endsWith('tidy.test.ts'),
  );
  expect(marked.map(({ file }) => file)).toEqual([]);
});

/** Which folders may not be imported from where: surfaces → credentials → operation → refusals. */
const arrows: { from: RegExp; never: RegExp; instead: string }[] = [
  {
    from: /^src\/(operation|refusals|standing|permissions|secrets|writes|actor)\.ts$/,
    never: /^src\/(credentials|graphql|rest|delivery|issue|commands)\//,
    instead: 'pass it what it needs',
  },
  {
    from: /^src\/credentials\/(.*\/)?(kind|find|revoke|input|load|deployment)\.ts$/,
    never: /^src\/(graphql|rest|commands)\//,
    instead: "let the kind's graphql.ts or rest.ts word it",
  },
  { from: /^src\/graphql\//, never: /^src\/(rest|commands)\//, instead: 'share an operation' },
  { from: /^src\/rest\//, never: /^src\/(graphql|commands)\//, instead: 'share an operation' },
  {
    from: /^src\/rest\/dialects\//,
    never: /^src\/(credentials|operation|delivery)/,
    instead: "word a kind in the kind's rest.ts",
  },
  {
    from: /^src\/delivery\//,
    never: /^src\/(graphql|rest|credentials)\//,
    instead: 'give it data',
  },
];

describe('imports point one way', () => {
  test.each(arrows)('$from: $instead', ({ from, never }) => {
    const governed = source.filter(({ file }) => from.test(file));
    expect(governed.length).toBeGreaterThan(0);
    const wrong = governed.flatMap((each) =>
      importsOf(each)
        .filter((imported) => never.test(imported))
        .map((imported) => `${each.file} imports ${imported}`),
    );
    expect(wrong).toEqual([]);
  });
});

test('no two files import each other, however far round, but for their types', () => {
  const graph = new Map(
    source.map(({ file, text }) => {
      const values = text.replace(/import type [^;]+;/g, '');
      return [file, importsOf({ file, text: values })];
    }),
  );
  const cycles: string[] = [];
  const visit = (file: string, path: string[]) => {
    if (path.includes(file)) {
      cycles.push([...path.slice(path.indexOf(file)), file].join(' → '));
      return;
    }
    for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
  };
  visit('src/main.ts', []);
  expect(cycles).toEqual([]);
});
