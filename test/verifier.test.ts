import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { VerifierError } from '../src/verifier/errors.ts';
import type { Change } from '../src/verifier/feed-events.ts';
import { createVerifier } from '../src/verifier/index.ts';
import type { VerifierOptions } from '../src/verifier/options.ts';
import { caughtUp, follow, makePoint, mutate, reached, said, until } from './enforcement.ts';
import { listen } from './loopback.ts';
import { page } from './markdown.ts';
import { serveGateway, tokenOf } from './oauth-clients.ts';
import { root } from './processes.ts';

/** A verifier from its beginning to its end. */

test('it imports nothing but itself, Node and packages, of which the frameworks are types', () => {
  const folder = join(root, 'src/verifier');
  const { dependencies, devDependencies } = JSON.parse(page('package.json')) as Record<
    'dependencies' | 'devDependencies',
    Record<string, string>
  >;
  for (const file of globSync('**/*.ts', { cwd: folder })) {
    const text = readFileSync(join(folder, file), 'utf8');
    for (const [line, , path = ''] of text.matchAll(/^(import|export) [^;]*?from '([^']+)';$/gms)) {
      if (/^\.\/[\w-]+\.ts$/.test(path) || path.startsWith('node:')) continue;
      const isType = line.startsWith('import type');
      const declared = isType ? { ...dependencies, ...devDependencies } : dependencies;
      expect([file, Object.keys(declared)]).toEqual([file, expect.arrayContaining([path])]);
      if (['fastify', 'express', 'hono'].includes(path))
        expect([file, isType]).toEqual([file, true]);
    }
    expect([file, /\bimport\(|require\(|process\.env/.test(text)]).toEqual([file, false]);
  }
});

describe('options', () => {
  const good: VerifierOptions = {
    ...{ url: 'http://127.0.0.1:1/', token: 'rgw_ep_x', whenStale: 'strict' },
  };
  test.each<[string, object]>([
    ['url', { url: 'not a url' }],
    ['url', { url: 'ftp://127.0.0.1' }],
    ['token', { token: '' }],
    ['token', { token: 'a b' }],
    ['token', { token: undefined }],
    ['whenStale', { whenStale: 'never' }],
    ['whenStale', { whenStale: undefined }],
    ['staleAfterMs', { staleAfterMs: 0 }],
    ['timeoutMs', { timeoutMs: Number.NaN }],
    ['cacheMax', { cacheMax: 1.5 }],
    ['cacheMax', { cacheMax: Number.POSITIVE_INFINITY }],
  ])('%s cannot be %o', (name, wrong) => {
    const make = () => createVerifier({ ...good, ...wrong } as VerifierOptions);
    expect(make).toThrow(TypeError);
    expect(make).toThrow(new RegExp(`^${name}: `));
  });
});

const codeOf = (error: unknown) => (error instanceof VerifierError ? error.code : error);

describe('ready', () => {
  test.each<[string, (h: Awaited<ReturnType<typeof serveGateway>>) => Promise<string> | string]>([
    ['made up', () => 'rgw_ep_made-up'],
    ['of a caller', (h) => h.demo.callers.admin],
    ['of a client', (h) => tokenOf(h, h.demo.oauthClient)],
    [
      'of a point that was revoked',
      async (h) => {
        const { id, token } = await makePoint(reached(h));
        await mutate(reached(h), 'revokeEnforcementPoint', { enforcementPointId: id });
        return token;
      },
    ],
  ])('says that a token is none: one %s', async (_what, tokenFor) => {
    const h = await serveGateway();
    const token = await tokenFor(h);
    const verifier = createVerifier({ url: h.url, token, whenStale: 'best-effort' });
    const error = await verifier.ready().catch((each: unknown) => each);
    expect([codeOf(error), String(error)]).toEqual([
      ...['unauthorized', expect.stringContaining('enforcement point')],
    ]);
    expect(String(error)).not.toContain(token);
    await expect(verifier.ready()).rejects.toBe(error);
    expect(await said(verifier, h.demo.apiKey[0]?.key ?? '')).toMatch(/^stale$/);
    expect(verifier.status()).toMatchObject({ live: false, position: undefined, cached: 0 });
    await verifier.close();
  });

  test.each([
    ['a page', 200, 'text/html', '<h1>Hello</h1>'],
    ['JSON', 200, 'application/json', '{}'],
    ['nothing', 404, 'text/plain', 'nothing'],
    ['a redirect', 302, 'text/plain', ''],
  ])('says that there is no gateway, but %s', async (_what, status, type, text) => {
    const server = await listen((response) =>
      response.writeHead(status, { 'content-type': type, location: '/elsewhere' }).end(text),
    );
    const verifier = createVerifier({ url: server.url, token: 'rgw_ep_x', whenStale: 'strict' });
    expect(await verifier.ready().catch(codeOf)).toBe('not-a-gateway');
    expect(verifier.status()).toMatchObject({ live: false, problem: expect.any(String) });
    // Nobody else is shown the token.
    expect(server.received.map(({ url }) => url)).not.toContain('/elsewhere');
    await verifier.close();
  });
});

test('a point that is revoked is strict, and lenient, no longer than it may be', async () => {
  const h = await serveGateway();
  const { id, token } = await makePoint(reached(h));
  const verifier = await follow(reached(h), { token, staleAfterMs: 1_200 });
  const key = h.demo.apiKey[0]?.key ?? '';
  expect(await said(verifier, key)).toBe('good');
  await mutate(reached(h), 'revokeEnforcementPoint', { enforcementPointId: id });
  await until(async () => (await said(verifier, key)) === 'stale');
  await until(() => /401/.test(verifier.status().problem ?? ''));
  await expect(verifier.ready()).resolves.toBeUndefined();
});

test('each change is told, and acknowledged to the gateway', async () => {
  const h = await serveGateway();
  const changes: Change[] = [];
  const { id, token } = await makePoint(reached(h));
  const verifier = await follow(reached(h), { token, onChange: (change) => changes.push(change) });
  for (const { applicationId, keyId } of h.demo.apiKey) {
    await mutate(reached(h), 'revokeApiKey', { applicationId, keyId });
  }
  await caughtUp(verifier, h);
  expect(changes).toEqual(
    h.demo.apiKey.map(({ keyId }) => ({
      ...{ seq: expect.any(Number), at: expect.any(Number) },
      ...{ type: 'revoked', id: keyId, kind: 'api-key' },
    })),
  );
  const deliveries = () =>
    h.running.database.reader
      .selectFrom('deliveries')
      .selectAll()
      .where('target_id', '=', id)
      .execute();
  await until(async () =>
    (await deliveries()).every(({ acknowledged_at_ms }) => acknowledged_at_ms !== null),
  );
  expect((await deliveries()).map(({ seq, attempts }) => [seq, attempts])).toEqual(
    changes.map(({ seq }) => [seq, 1]),
  );
});

test('once closed, it refuses everything and asks nothing', async () => {
  const h = await serveGateway();
  const verifier = await follow(reached(h), { whenStale: 'best-effort' });
  const key = h.demo.apiKey[0]?.key ?? '';
  expect(await said(verifier, key)).toBe('good');
  await verifier.close();
  await verifier.close();
  expect(await said(verifier, key)).toBe('unavailable');
  expect(await verifier.ready().catch(codeOf)).toBe('closed');
  expect(verifier.status().cached).toBe(0);
  const waiting = createVerifier({
    ...{ url: 'http://127.0.0.1:1', token: 'rgw_ep_x', whenStale: 'strict' },
  });
  const ready = waiting.ready().catch(codeOf);
  await waiting.close();
  expect(await ready).toBe('closed');
});
