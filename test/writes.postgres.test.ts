import { type AddressInfo, connect, createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { type OpenOptions, openDatabase } from '../src/database/database.ts';
import { append } from '../src/ledger.ts';
import { createWrites } from '../src/writes.ts';
import { databaseIn, past } from './engine.ts';
import { openGateway } from './harness.ts';

/** Several commit queues on one database: the ledger has one order, which is that of the commits. */

async function open(url: string, options: OpenOptions = {}) {
  const database = await openDatabase(url, options);
  onTestFinished(() => database.close());
  return createWrites(database);
}

const entryOf = (organizationId: string, id: string) => ({
  ...{ id, organization_id: organizationId, at_ms: 1, action: 'revoke', kind: 'api-key' },
  ...{ target_id: null, target: 'x', outcome: 'refused', refusal: 'NOT_FOUND', reason: null },
  ...{ comment: null, actor: 'x', actor_id: null, surface: 'rest', request_id: 'x' },
});

test.each([
  ['take turns', { turns: true }],
  // As on engines that speak PostgreSQL's protocol and have no such lock.
  ['collide and repeat', { turns: false }],
])(
  'writers of several gateways %s: no number is skipped, and none is late',
  async (_how, options) => {
    const h = await openGateway();
    const organizationId = (await h.rows())[0]?.organization_id ?? '';
    const url = databaseIn(h.folder);
    const queues = await Promise.all([1, 2, 3].map(() => open(url, options)));
    const other = await past(h.folder);
    let looking = true;
    const missed: number[] = [];
    const watching = (async () => {
      let last = 0;
      while (looking) {
        const rows = await other.all<{ seq: number }>(
          'select seq from ledger where seq > ? order by seq',
          last,
        );
        for (const { seq } of rows) {
          if (seq !== last + 1) missed.push(seq);
          last = seq;
        }
      }
    })();
    await Promise.all(
      queues.map(async (writes, q) => {
        for (let i = 0; i < 40; i++) {
          const jobs = [0, 1, 2].map((j) =>
            writes.run((tx) => append(tx, entryOf(organizationId, `${q}-${i}-${j}`))),
          );
          await Promise.all(jobs);
        }
      }),
    );
    looking = false;
    await watching;
    expect(missed).toEqual([]);
    expect((await h.ledger()).map(({ seq }) => seq)).toEqual(
      Array.from({ length: 360 }, (_, i) => i + 1),
    );
  },
);

test('an engine that has no such lock is found out, and done without', async () => {
  const h = await openGateway();
  const url = new URL(databaseIn(h.folder));
  const port = Number(url.port);
  // PostgreSQL itself, but for this one statement.
  let unknown = 0;
  const proxy = createServer((client) => {
    const server = connect(port, url.hostname);
    client.on('data', (data) => {
      const text = data.toString('latin1');
      if (text.includes('lock table')) unknown++;
      server.write(Buffer.from(text.replace('lock table', 'lokk table'), 'latin1'));
    });
    server.pipe(client);
    client.on('error', () => server.destroy());
    client.on('close', () => server.destroy());
  });
  await new Promise<void>((listening) => proxy.listen(0, '127.0.0.1', listening));
  onTestFinished(() => void proxy.close());
  url.port = String((proxy.address() as AddressInfo).port);
  const writes = await open(url.href);
  const organizationId = (await h.rows())[0]?.organization_id ?? '';
  for (const id of ['one', 'two', 'three']) {
    await writes.run((tx) => append(tx, entryOf(organizationId, id)));
  }
  expect((await h.ledger()).map(({ seq, id }) => [seq, id])).toEqual([
    [1, 'one'],
    [2, 'two'],
    [3, 'three'],
  ]);
  // Asked for once.
  expect(unknown).toBe(1);
});
