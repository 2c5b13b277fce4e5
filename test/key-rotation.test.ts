import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Demo } from '../db/demo.ts';
import { SIGNING_KEYS_AGE_MS } from '../src/keys/signing-keys.ts';
import { past } from './engine.ts';
import { isActive, listed, mintAt, publishedBy, rotate, strangerAt } from './keys.ts';
import { gateway, gatewayJson, newFolder, serve, settingsIn } from './processes.ts';

/** The signing key is replaced under gateways that serve, with an overlap on both sides. */

async function withGateways(count: number) {
  const folder = newFolder();
  const env = { ...settingsIn(folder), LOG_LEVEL: 'error', PUBLIC_URL: 'http://gateway.test' };
  const demo = await gatewayJson<Demo>(env, 'demo', '--count', '2');
  const served = await Promise.all(Array.from({ length: count }, () => serve(env)));
  return { folder, env, demo, client: demo.oauthClient, urls: served.map(({ url }) => url) };
}

test('a new key is published before it signs, and the one before counts until it is retired', async () => {
  const { folder, env, demo, client, urls } = await withGateways(2);
  const [url = ''] = urls;
  const [before = ''] = await publishedBy(url);
  const old = await mintAt(url, client);
  expect(old.kid).toBe(before);
  const cached = strangerAt(url);
  expect(await cached(old.token)).toBe(true);

  const { kid, signsFrom, retired } = await rotate(env, '--publish-for', '6s');
  expect(retired).toEqual([]);
  for (const each of urls) expect(await publishedBy(each)).toEqual([kid, before]);
  for (const each of urls) expect((await mintAt(each, client)).kid).toBe(before);
  expect((await listed(env)).map(({ state }) => state)).toEqual(['published', 'signing']);

  const signsAt = Date.parse(signsFrom);
  await setTimeout(signsAt + SIGNING_KEYS_AGE_MS - Date.now());
  for (const each of urls) {
    const { token, kid: by } = await mintAt(each, client);
    expect(by).toBe(kid);
    for (const other of urls) {
      expect(await isActive(other, client, token)).toBe(true);
      expect(await isActive(other, client, old.token)).toBe(true);
    }
    const stranger = strangerAt(each);
    expect([await stranger(token), await stranger(old.token)]).toEqual([true, true]);
  }
  expect((await listed(env)).map((key) => [key.kid, key.state])).toEqual([
    [kid, 'signing'],
    [before, 'verifying'],
  ]);

  const refused = await gateway(env, 'key', 'retire', before);
  expect([refused.code, refused.stderr]).toEqual([
    1,
    expect.stringMatching(/^Tokens that .* are good until .*add --force\.\n$/),
  ]);
  expect(await publishedBy(url)).toContain(before);
  expect(await gateway(env, 'key', 'retire', before, '--force')).toMatchObject({ code: 0 });
  expect(await publishedBy(url)).toEqual([kid]);
  // Its row speaks for it, where rows are read.
  expect(await isActive(url, client, old.token)).toBe(true);
  expect(await strangerAt(url)(old.token)).toBe(false);

  const other = await past(folder);
  const entries = await other.all(
    `select slug, action, target, ledger.reason, comment, surface from ledger
     join revocables on revocables.id = ledger.organization_id
     where ledger.kind = 'signing-key' order by slug, seq`,
  );
  const said = { reason: null, surface: 'cli' };
  const each = (slug: string) => [
    { slug, action: 'rotate', target: kid, comment: `signs from ${signsFrom}`, ...said },
    { slug, action: 'retire', target: before, comment: null, ...said },
  ];
  expect(entries).toEqual([...each('acme'), ...each('globex')]);
  const seqs = await other.all<{ seq: number }>('select seq from ledger order by seq');
  expect(seqs.map(({ seq }) => seq)).toEqual(seqs.map((_, i) => i + 1));
  const shown = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${demo.callers.admin}`,
      'content-type': 'application/json',
    },
    body: '{ "query": "{ me { ledger(first: 1) { edges { node { action kind target } } } } }" }',
  });
  expect(await shown.json()).toMatchObject({
    data: {
      me: {
        ledger: { edges: [{ node: { action: 'RETIRE', kind: 'SIGNING_KEY', target: before } }] },
      },
    },
  });
}, 60_000);

test('a rotation that is not over is not begun again, and can be called off', async () => {
  const { env, client, urls } = await withGateways(1);
  const [url = ''] = urls;
  const [before = ''] = await publishedBy(url);
  const first = await rotate(env, '--publish-for', '1h');
  const again = await gateway(env, 'key', 'rotate');
  expect([again.code, again.stderr]).toEqual([
    1,
    `Key ${first.kid} is published, and signs from ${first.signsFrom}: wait for that, or retire it.\n`,
  ]);
  expect(await gateway(env, 'key', 'retire', first.kid)).toMatchObject({ code: 0 });
  expect(await publishedBy(url)).toEqual([before]);
  const second = await rotate(env);
  expect(Date.parse(second.signsFrom) - Date.now()).toBeGreaterThan(9 * 60_000);
  expect(await publishedBy(url)).toEqual([second.kid, before]);
  expect((await mintAt(url, client)).kid).toBe(before);
});

test.each<[string, (kid: string) => string[], RegExp]>([
  ['the key that signs', (kid) => ['retire', kid], /the key that signs: make another first/],
  ['it, whatever its tokens are', (kid) => ['retire', kid, '--force'], /the key that signs/],
  ['a key that nobody has', () => ['retire', 'nobody'], /There is no key nobody.*key list/],
  ['a time without a unit', () => ['rotate', '--publish-for', '9'], /such as 90s/],
  ['a time in an emergency', () => ['rotate', '--emergency', '--publish-for', '9s'], /cannot be/],
])('%s: says what to do', async (_what, args, words) => {
  const env = settingsIn(newFolder());
  const [{ kid } = { kid: '' }] = await listed(env);
  const { code, stdout, stderr } = await gateway(env, 'key', ...args(kid));
  expect([code, stdout, stderr]).toEqual([1, '', expect.stringMatching(words)]);
  expect(stderr).not.toMatch(/^\s+at /m);
  expect((await listed(env)).map((key) => [key.kid, key.state])).toEqual([[kid, 'signing']]);
});

test('two that rotate at once make one key', async () => {
  const env = settingsIn(newFolder());
  await gatewayJson(env, 'organization', 'create', 'acme');
  const ended = await Promise.all([gateway(env, 'key', 'rotate'), gateway(env, 'key', 'rotate')]);
  expect(ended.map(({ code }) => code).toSorted()).toEqual([0, 1]);
  expect((await listed(env)).map(({ state }) => state)).toEqual(['published', 'signing']);
});

test('commands say what they did', async () => {
  const env = settingsIn(newFolder());
  const { stdout } = await gateway(env, 'key', 'rotate');
  expect(stdout).toMatch(/^Key [\w-]{43} is published, and signs from \d{4}-.*Z\.\n$/);
  const emergency = await gateway(env, 'key', 'rotate', '--emergency');
  expect(emergency.stdout).toMatch(/^Key .*\n(Key [\w-]{43} is retired: .* count no more\.\n){2}$/);
  const list = await gateway(env, 'key', 'list');
  expect(list.stdout).toMatch(/^([\w-]{43} {2}(signing {2}|retired {2}) .*\n){3}$/);
});
