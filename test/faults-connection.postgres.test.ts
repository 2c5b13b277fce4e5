import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Demo } from '../db/demo.ts';
import { type Past, past } from './engine.ts';
import { gatewayJson, newFolder, serve, settingsIn } from './processes.ts';
import { changeByEach, doneByEach, read, readable, unavailableByEach } from './surfaces.ts';
import { type TcpProxy, tcpProxyTo } from './tcp-proxy.ts';

/** A network that fails between the gateway and PostgreSQL: 503, and never a false 200. */

const unreadable = { live: 200, me: 503, introspection: 503, active: undefined };

interface Ground {
  readonly url: string;
  readonly demo: Demo;
  readonly db: Past;
  readonly proxy: TcpProxy;
}

/** A gateway that reaches its database through a network of its own. */
async function behindProxy(count: number): Promise<Ground> {
  const folder = newFolder();
  const settings = settingsIn(folder);
  const demo = await gatewayJson<Demo>(settings, 'demo', '--count', String(count));
  const direct = new URL(settings.DATABASE_URL ?? '');
  const proxy = await tcpProxyTo(Number(direct.port));
  direct.port = String(proxy.port);
  const { url } = await serve({ ...settings, DATABASE_URL: direct.href, LOG_LEVEL: 'warn' });
  return { url, demo, db: await past(folder), proxy };
}

const state = async (db: Past) => [
  await db.all('select * from revocables order by id'),
  await db.all('select * from ledger order by seq'),
];

test('connections that are cut and refused: 503 at once, and on as soon as they are not', async () => {
  const { url, demo, db, proxy } = await behindProxy(6);
  expect(await changeByEach(url, demo, 0)).toEqual(doneByEach);
  const before = await state(db);
  await proxy.cut();
  expect(await changeByEach(url, demo, 1)).toEqual(unavailableByEach);
  expect(await read(url, demo, 1)).toEqual(unreadable);
  expect(await state(db)).toEqual(before);
  await proxy.restore();
  expect(await read(url, demo, 1)).toEqual(readable);
  expect(await changeByEach(url, demo, 1)).toEqual(doneByEach);
});

test('a server that says nothing: 503 within a bound, and on as soon as it speaks', async () => {
  const { url, demo, proxy } = await behindProxy(6);
  expect(await changeByEach(url, demo, 0)).toEqual(doneByEach);
  proxy.freeze();
  const begun = performance.now();
  expect(await changeByEach(url, demo, 1)).toEqual(unavailableByEach);
  expect(performance.now() - begun).toBeLessThan(25_000);
  proxy.thaw();
  expect(await read(url, demo, 1)).toEqual(readable);
  expect(await changeByEach(url, demo, 1)).toEqual(doneByEach);
}, 120_000);

const revoke = (url: string, demo: Demo, i: number) => {
  const { applicationId, keyId } = demo.apiKey[i] ?? {};
  return fetch(`${url}/api/v1/applications/${applicationId}/api-keys/${keyId}`, {
    method: 'DELETE',
    headers: { authorization: `Bearer ${demo.callers.personalAccessToken}` },
  });
};

for (const when of ['before', 'answer'] as const) {
  test(`a connection that breaks at the commit (${when}): 503, and the same again tells`, async () => {
    const { url, demo, db, proxy } = await behindProxy(2);
    const broken = proxy.breakAt('commit\0', when);
    const response = await revoke(url, demo, 0);
    await broken;
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1']);
    expect(response.headers.get('revocation-id')).toBeNull();

    const done = when === 'answer';
    const keyId = demo.apiKey[0]?.keyId ?? '';
    const [row] = await db.all<{ revoked_at_ms: number | null }>(
      'select revoked_at_ms from revocables where id = ?',
      keyId,
    );
    expect(row?.revoked_at_ms !== null).toBe(done);
    expect((await revoke(url, demo, 0)).status).toBe(done ? 404 : 200);
    const entries = await db.all<{ outcome: string; refusal: string | null }>(
      'select outcome, refusal from ledger where target_id = ? order by seq',
      keyId,
    );
    const refused = { outcome: 'refused', refusal: 'ALREADY_REVOKED' };
    expect(entries).toEqual([{ outcome: 'done', refusal: null }, ...(done ? [refused] : [])]);
  });
}

test('connections that break again and again: whatever was answered is there, once', async () => {
  const { url, demo, db, proxy } = await behindProxy(60);
  const answered = new Map<string, string>();
  const waiting = demo.apiKey.map((_, i) => i);
  let breaking = true;
  const breaker = (async () => {
    while (breaking) {
      await setTimeout(100 + Math.random() * 300);
      proxy.drop();
    }
  })();
  let unavailable = 0;
  const client = async () => {
    for (let i = waiting.pop(); i !== undefined; i = waiting.pop()) {
      for (;;) {
        const response = await revoke(url, demo, i);
        await response.arrayBuffer();
        const id = response.headers.get('revocation-id');
        if (id !== null) answered.set(id, demo.apiKey[i]?.keyId ?? '');
        if (response.status !== 503) {
          // 404: revoked by an attempt that broke at its commit.
          expect([200, 404]).toContain(response.status);
          break;
        }
        expect(response.headers.get('retry-after')).toBe('1');
        unavailable += 1;
        await setTimeout(10);
      }
    }
  };
  await Promise.all([client(), client(), client(), client()]);
  breaking = false;
  await breaker;
  expect(unavailable).toBeGreaterThan(0);

  const rows = await db.all<{ id: string; revocation_id: string | null }>(
    `select id, revocation_id from revocables where kind = 'api-key'`,
  );
  const entries = await db.all<{ id: string; target_id: string }>(
    `select id, target_id from ledger where outcome = 'done' and kind = 'api-key' order by id`,
  );
  expect(rows.every(({ revocation_id }) => revocation_id !== null)).toBe(true);
  // Exactly one entry for each row, and of those each that was answered.
  expect(entries.map(({ id, target_id }) => `${id} ${target_id}`)).toEqual(
    rows.map(({ id, revocation_id }) => `${revocation_id} ${id}`).toSorted(),
  );
  for (const [id, keyId] of answered) {
    expect(entries).toContainEqual({ id, target_id: keyId });
  }
}, 120_000);
