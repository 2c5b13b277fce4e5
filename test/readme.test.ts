import { userInfo } from 'node:os';
import { describe, expect, test } from 'vitest';
import { credentials } from '../src/credentials/kinds.ts';
import { buildSchema } from '../src/graphql/schema.ts';
import { blocks, page, quoted, rows, section } from './markdown.ts';
import { paste, ways } from './pasting.ts';
import { newFolder, serve, settingsIn } from './processes.ts';

/** Everything in the README that can be pasted is run, and answers as is printed there. */

const readme = page('README.md');
const firstScreen = readme.slice(0, readme.indexOf('\n## '));
const fromEmpty = section(readme, '## From an empty database');
const issueAndUse = section(readme, '## Issue, use, revoke');

describe.each(ways)('%s', (_way, given) => {
  test('the requests to the demo are answered as printed', async () => {
    const settings = given(settingsIn(newFolder()));
    const { url } = await serve(settings, 'demo');
    const [start, ...examples] = blocks(firstScreen);
    expect(start).toEqual({ language: 'sh', code: 'npm ci && npm run demo\n' });
    expect(examples.map(({ language }) => language)).toEqual(['sh', 'json', 'sh', 'json']);
    for (let i = 0; i < examples.length; i += 2) {
      const answer = await paste(examples[i]?.code ?? '', url, settings);
      expect(answer).toBe(examples[i + 1]?.code.trimEnd());
    }
  });

  test('from an empty database to a first revocation, as printed', async () => {
    const settings = given(settingsIn(newFolder()));
    const { url } = await serve(settings);
    const [start, make, revoke, revoked, look, seen, ...more] = blocks(fromEmpty);
    expect([start?.code, more]).toEqual(['npm start\n', []]);

    const made = await paste(`${make?.code}echo; echo "$TOKEN"`, url, settings);
    const [token = '', answer = ''] = made.trimEnd().split('\n').reverse();
    const { personalAccessToken, secret } = JSON.parse(answer).data.createPersonalAccessToken;
    expect(secret).toMatch(/^rgw_pat_/);

    const again = (code = '') =>
      paste(code.replace('"ID"', `"${personalAccessToken.id}"`), url, {
        ...settings,
        TOKEN: token,
      });
    expect(await again(revoke?.code)).toBe(revoked?.code.trimEnd());
    const expected = seen?.code.trimEnd().replace('OS_USER', userInfo().username);
    expect(await again(look?.code)).toBe(expected);
  });
});

test('a key is issued, used and revoked, as printed', async () => {
  const settings = { ...settingsIn(newFolder()), PUBLIC_URL: 'http://localhost:8080' };
  const { url } = await serve(settings);
  const [, make] = blocks(fromEmpty);
  const made = await paste(`${make?.code}echo; echo "$TOKEN"`, url, settings);
  const [TOKEN = ''] = made.trimEnd().split('\n').reverse();
  const names: Record<string, string> = {};
  const run = (code = '') => paste(replaced(code, names), url, { ...settings, TOKEN });

  const [makeClient, makeKey, ...uses] = blocks(issueAndUse);
  const [client = '', application = ''] = (await run(makeClient?.code)).trimEnd().split('\n');
  const { clientId, clientSecret } = JSON.parse(client);
  Object.assign(names, { CLIENT_ID: clientId, CLIENT_SECRET: clientSecret });
  names.APPLICATION_ID = JSON.parse(application).data.createApplication.application.id;
  const { apiKey, secret } = JSON.parse(await run(makeKey?.code)).data.createApiKey;
  Object.assign(names, { KEY_ID: apiKey.id, KEY: secret });

  expect(uses.map(({ language }) => language)).toEqual(['sh', 'json', 'sh', 'json', 'sh', 'json']);
  for (let i = 0; i < uses.length; i += 2) {
    const expected = replaced(uses[i + 1]?.code ?? '', names).trimEnd();
    const answer = (await run(uses[i]?.code)).replace(/"iat":\d+/, '"iat":ISSUED_AT');
    expect(answer).toBe(expected);
  }
});

/** Puts what was answered in place of the names that stand for it. */
const replaced = (text: string, names: Record<string, string>): string =>
  text.replace(/\b[A-Z]+(?:_[A-Z]+)?\b/g, (name) => names[name] ?? name);

test('the table has every kind, with its mutation, path and product', () => {
  const inTable = rows(firstScreen).map(([, mutation = '', path = '', product]) => [
    quoted(mutation)[0],
    quoted(path)[0],
    product?.toLowerCase() || undefined,
  ]);
  const asServed = credentials.map(({ graph, rest }) => [
    graph.mutation,
    rest && `${rest.method} ${rest.paths[0]?.replace(/:(\w+)/g, '{$1}')}`,
    rest?.dialect.name,
  ]);
  expect(inTable).toEqual(asServed);
});

test('every mutation is named', () => {
  const mutations = buildSchema(credentials).getMutationType()?.getFields() ?? {};
  const named = new Set(readme.match(/\w+/g));
  expect(Object.keys(mutations).filter((name) => !named.has(name))).toEqual([]);
});
