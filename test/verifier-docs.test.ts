import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { settingsOf } from '../src/verifier/options.ts';
import { follow, makePoint, mutate, reached, until } from './enforcement.ts';
import { listen } from './loopback.ts';
import { blocks, column, page, quoted, rows, section } from './markdown.ts';
import { serveGateway } from './oauth-clients.ts';
import { launch, newFolder, root } from './processes.ts';

/** The page about the verifier: its examples run as they stand, and its tables say what the code does. */

const text = page('docs/verifier.md');
const example = (heading: string) =>
  blocks(section(text, heading)).find(({ language }) => language === 'ts')?.code ?? '';

/** A project that has installed this one, with the sources in place of what is compiled from them. */
function newProject(): string {
  const folder = newFolder();
  const installed = join(folder, 'node_modules/revocation-gateway');
  for (const path of [installed, join(folder, 'node_modules/@hono')]) {
    mkdirSync(path, { recursive: true });
  }
  symlinkSync(join(root, 'src'), join(installed, 'src'));
  const manifest = page('package.json').replace(/dist\/(verifier\/.+)\.js/g, 'src/$1.ts');
  writeFileSync(join(installed, 'package.json'), manifest);
  for (const name of ['fastify', 'express', 'hono', '@hono/node-server']) {
    symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name));
  }
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  return folder;
}

/** A port that nobody listens on. */
async function freePort(): Promise<number> {
  const server = await listen((response) => response.end());
  await server.close();
  return server.port;
}

describe.each(['## Fastify', '## Express', '## Hono'])('%s', (heading) => {
  test('the example runs as it stands but for its ports', async () => {
    expect(example(heading).split('\n').filter(Boolean).length).toBeLessThanOrEqual(12);
    const h = await serveGateway();
    const { token } = await makePoint(reached(h));
    const [folder, port] = [newProject(), await freePort()];
    const code = example(heading)
      .replace('http://localhost:8080', h.url)
      .replace(/\b3000\b/, String(port));
    expect(code).toContain(h.url);
    writeFileSync(join(folder, 'api.ts'), code);
    const env = { PATH: process.env.PATH ?? '', POINT_TOKEN: token };
    const api = launch(process.execPath, ['api.ts'], env, folder);
    const get = (key = '') =>
      fetch(`http://localhost:${port}/orders`, { headers: { authorization: `Bearer ${key}` } });
    const [key, sibling] = h.demo.apiKey;
    await until(async () => {
      if (api.child.exitCode !== null) throw new Error(api.output.stderr);
      return await get(key?.key).then(
        ({ status }) => status === 200,
        () => false,
      );
    });
    expect(await (await get(key?.key)).json()).toEqual({ of: 'acme' });
    const { applicationId, keyId } = key ?? {};
    await mutate(reached(h), 'revokeApiKey', { applicationId, keyId });
    await until(async () => (await get(key?.key)).status === 401);
    expect((await get(sibling?.key)).status).toBe(200);
    expect((await get()).status).toBe(401);
    api.child.kill('SIGTERM');
    expect((await api.ended).stderr).toBe('');
  });
});

test('the example without a framework tells good from bad', async () => {
  const h = await serveGateway();
  const folder = newProject();
  const code = example('## Without a framework').replace('http://localhost:8080', h.url);
  writeFileSync(join(folder, 'look.ts'), code);
  const look = async (credential = '') => {
    const { token } = await makePoint(reached(h));
    const env = { PATH: process.env.PATH ?? '', POINT_TOKEN: token };
    return await launch(process.execPath, ['look.ts', credential], env, folder).ended;
  };
  const good = { code: 0, stdout: 'good, of acme\n', stderr: '' };
  expect(await look(h.demo.apiKey[0]?.key)).toMatchObject(good);
  expect(await look('rgw_key_of-nobody')).toMatchObject({ ...good, stdout: 'invalid\n' });
});

test('the mutation makes a point', async () => {
  const h = await serveGateway();
  const [, mutation] = blocks(section(text, '## Install'));
  const { data } = await h.graphql<{ createEnforcementPoint: { secret: string } }>(
    mutation?.code ?? '',
    {},
    h.demo.callers.admin,
  );
  const verifier = await follow(reached(h), { token: data.createEnforcementPoint.secret });
  const members = column(section(text, '## Status'), 0).flatMap(quoted);
  expect(members).toEqual(Object.keys(verifier.status()));
});

test('every option is there, with what it is unless said', () => {
  const settings = settingsOf({ url: 'http://localhost', token: 'x', whenStale: 'strict' });
  const listed = rows(section(text, '## Options'));
  expect(listed.map(([name = '']) => quoted(name)[0])).toEqual(Object.keys(settings));
  for (const [name = '', value = ''] of listed) {
    const actual = settings[quoted(name)[0] as keyof typeof settings];
    if (typeof actual === 'number')
      expect([name, value.replace(',', '')]).toEqual([name, `${actual}`]);
  }
});
