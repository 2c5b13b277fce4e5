import { existsSync, globSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ms from 'ms';
import { describe, expect, test } from 'vitest';
import { readConfig, settingNames } from '../src/config.ts';
import { credentials } from '../src/credentials/kinds.ts';
import { owners } from '../src/credentials/owners.ts';
import { isPermission, permissions } from '../src/permissions.ts';
import { blocks, column, page, quoted, rows, section } from './markdown.ts';
import { root } from './processes.ts';

/** The pages say what the code does: no more, no less, and nothing that is no longer so. */

const pages = ['*.md', 'docs/*.md'].flatMap((pattern) => globSync(pattern, { cwd: root })).sort();

test('every page that a reader looks for is there', () => {
  expect(pages).toEqual(
    expect.arrayContaining([
      ...['CHANGELOG.md', 'CONTRIBUTING.md', 'README.md', 'SECURITY.md'],
      ...['docs/architecture.md', 'docs/configuration.md', 'docs/errors.md'],
    ]),
  );
});

/** The anchors of a page, as GitHub makes them of headings. */
const anchors = (text: string) =>
  [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );

test.each(pages)('%s: every link leads somewhere', (path) => {
  const links = [...page(path).matchAll(/\]\(([^)]+)\)/g)].map(([, link = '']) => link);
  for (const link of links.filter((each) => !/^https?:/.test(each))) {
    const [file = '', anchor] = link.split('#');
    const target = file === '' ? path : join(dirname(path), file);
    expect([link, existsSync(join(root, target))]).toEqual([link, true]);
    if (anchor !== undefined) expect(anchors(page(target))).toContain(anchor);
  }
});

test('the code map names every file, and none that is not there', () => {
  const map = section(page('docs/architecture.md'), '## Code map');
  const named = [...map.matchAll(/^- `([^`]+)`: \S/gm)].map(([, file = '']) => file);
  const files = ['src', 'db'].flatMap((folder) =>
    globSync(`${folder}/**/*.*`, { cwd: root }).map((file) => file.replaceAll('\\', '/')),
  );
  expect(named.toSorted()).toEqual(files.sort());
});

test('every path that the architecture page names is there', () => {
  const named = quoted(page('docs/architecture.md').replace(/^```.*?^```$/gms, ''));
  const paths = named.filter((text) => /^(?:src|db|test)\/[\w./-]+$/.test(text));
  expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([]);
});

test('the tree has every folder, and none that is not there', () => {
  const [tree] = blocks(section(page('docs/architecture.md'), '## The tree'));
  const names = [...(tree?.code ?? '').matchAll(/^( *)([\w./]+)/gm)];
  let above = ['', ''];
  const listed = names.map(([, indent = '', name = '']) => {
    const depth = indent.length / 2;
    above = [...above.slice(0, depth), name];
    return above.join('');
  });
  expect(listed.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  const folders = globSync('src/*/', { cwd: root }).map((folder) => `${folder}/`);
  expect(folders.filter((folder) => !listed.includes(folder))).toEqual([]);
});

const configuration = page('docs/configuration.md');

describe('settings', () => {
  const table = rows(section(configuration, '## Settings'));

  test('every one is there', () => {
    expect(table.map(([name = '']) => quoted(name)[0])).toEqual(settingNames);
  });

  const defaults = readConfig({}) as unknown as Record<string, unknown>;
  test.each(table)('%s has the default %s', (name = '', value = '') => {
    const camel = quoted(name)[0]
      ?.toLowerCase()
      .replace(/_(\w)/g, (_whole, letter: string) => letter.toUpperCase());
    const actual = defaults[camel ?? ''];
    const said = value === 'none' ? [] : quoted(value)[0]?.replace('$PORT', '8080');
    expect(Array.isArray(actual) ? actual : actual === undefined ? [] : String(actual)).toEqual(
      said,
    );
  });

  test.each(table)('%s: its example is accepted', (name = '', _default, _meaning, example = '') => {
    const given = Object.fromEntries(
      (quoted(example)[0] ?? '').split(' ').map((each) => each.split(/=(.*)/s).slice(0, 2)),
    );
    expect(given).toHaveProperty(quoted(name)[0] ?? '');
    expect(() => readConfig(given)).not.toThrow();
  });
});

describe('trusted issuers', () => {
  const part = section(configuration, '## Trusted issuers');
  const examples = blocks(part).map(({ code }) => code);
  const issuers = examples.flatMap(
    (example) => readConfig({ TRUSTED_ISSUERS: example, PROFILE: 'production' }).trustedIssuers,
  );

  test('one example reads keys from a URL, one has them inline', () => {
    expect(issuers.map(({ jwksUrl, keys }) => [typeof jwksUrl, keys?.length])).toEqual([
      ['string', undefined],
      ['undefined', 1],
    ]);
  });

  test('what names of the issuer stand for are permissions', () => {
    const mapped = issuers.flatMap((issuer) => Object.values(issuer.permissions ?? {}).flat());
    expect(mapped.length).toBeGreaterThan(0);
    expect(mapped.filter((permission) => !isPermission(permission))).toEqual([]);
  });

  test('every member is in the table, with what it is unless said', () => {
    const members = column(part, 0).flatMap(quoted);
    const all = new Set(issuers.flatMap((issuer) => Object.keys(issuer)));
    expect(members.toSorted()).toEqual([...all].sort());
    for (const name of Object.values(issuers[1]?.claims ?? {})) expect(part).toContain(name);
  });
});

describe('permissions', () => {
  const table = rows(section(configuration, '## Permissions'));
  const meaning = (permission: string) =>
    table.find(([name = '']) => quoted(name)[0] === permission)?.[1] ?? '';

  test('every one is there', () => {
    expect(table.map(([name = '']) => quoted(name)[0])).toEqual([...permissions]);
  });

  test.each([...owners, ...credentials].map(({ graph }) => graph))(
    '$read allows to see $type',
    ({ read, type }) => {
      expect(quoted(meaning(read))).toContain(type);
    },
  );

  test.each(credentials.map(({ graph }) => graph.mutation))('%s is allowed by one', (mutation) => {
    expect(table.flatMap(([, text = '']) => quoted(text))).toContain(mutation);
  });
});

test('every path of a product is on the page about REST', () => {
  const said = rows(page('docs/rest.md').split('\n## ')[0] ?? '').map(([product = '', path = '']) =>
    [product.toLowerCase(), ...quoted(path)].join(' '),
  );
  const served = credentials
    .flatMap(({ rest, routes = [] }) => [...(rest === undefined ? [] : [rest]), ...routes])
    .map(({ dialect, method, paths: [path = ''] }) =>
      [dialect.name, method, path.replace(/:(\w+)/g, '{$1}')].join(' '),
    );
  expect(said.toSorted()).toEqual(served.toSorted());
});

test('every error of the OAuth endpoints is on their page', () => {
  const source = page('src/oauth/answers.ts');
  const words = /OauthErrorWord =\n(.+?);/s.exec(source)?.[1] ?? '';
  const listed = rows(section(page('docs/oauth.md'), '## Errors')).map(
    ([word = '']) => quoted(word)[0],
  );
  expect(listed.toSorted()).toEqual([...words.matchAll(/'(\w+)'/g)].map(([, word]) => word));
});

test('limits: every one that the code sets, with its value', () => {
  const units: Record<string, number> = { KiB: 1024, MiB: 1024 ** 2 };
  const said = rows(section(configuration, '## Limits')).map(([, value = '', where = '']) => {
    const [number = '', unit = ''] = value.split(' ');
    const inMs = where.endsWith('_MS`') ? ms(`1 ${unit}` as '1 s') : 1;
    return [quoted(where).join(' '), Number(number.replaceAll(',', '')) * (units[unit] ?? inMs)];
  });
  const limit = /^(?:export )?const ([A-Z_]+_(?:MAX|MIN|MS|S|BYTES|DEFAULT)) = (.+);$/gm;
  const set = globSync('src/**/*.ts', { cwd: root }).flatMap((file) =>
    [...page(file).matchAll(limit)].map(([, name, value = '']) => [
      `${file} ${name}`,
      /^ms\('/.test(value)
        ? ms(value.slice(4, -2) as '1s')
        : value
            .split(' * ')
            .reduce((product, each) => product * Number(each.replaceAll('_', '')), 1),
    ]),
  );
  expect(said.toSorted()).toEqual(set.toSorted());
});
