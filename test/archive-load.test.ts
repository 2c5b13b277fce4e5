import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Demo } from '../db/demo.ts';
import { past } from './engine.ts';
import { gateway, gatewayJson, newFolder, type Settings, serve, settingsIn } from './processes.ts';
import { type ArchiveAnswer, addEntries, readArchive } from './retention.ts';

/** Archiving and pruning beside a gateway that serves, and with less memory than there are rows. */

async function withRows(entries: number, keys: number) {
  const folder = newFolder();
  const env = { ...settingsIn(folder), LOG_LEVEL: 'silent' };
  const demo = await gatewayJson<Demo>(env, 'demo', '--count', String(keys));
  const other = await past(folder);
  await addEntries(other, 'acme', entries);
  return { folder, env, demo, other };
}

/** Runs a command, which must succeed. */
async function done<T>(env: Settings, ...args: string[]): Promise<T> {
  const { code, stdout, stderr } = await gateway(env, ...args, '--json');
  expect([code, stderr.replace(/^[a-z ]+: [\d,]+\n/gm, '')]).toEqual([0, '']);
  return JSON.parse(stdout) as T;
}

test('beside them every revocation is answered, and is in the ledger', async () => {
  const { folder, env, demo, other } = await withRows(10_000, 400);
  await other.all(
    `insert into revocables (id, organization_id, parent_id, kind, issued_at_ms, expires_at_ms)
     with recursive n(i) as (select 1 union all select i + 1 from n where i < 10000)
     select 'old-' || i, id, id, 'api-key', 1, 1 from n, revocables
     where slug = 'acme' and parent_id is null`,
  );
  const { url } = await serve(env);
  const headers = { authorization: `Bearer ${demo.callers.personalAccessToken}` };
  const ids: (string | null)[] = [];
  let over = false;
  const revokeAll = async () => {
    const keys = [...demo.apiKey];
    for (let key = keys.pop(); key !== undefined && !over; key = keys.pop()) {
      const path = `/api/v1/applications/${key.applicationId}/api-keys/${key.keyId}`;
      const response = await fetch(`${url}${path}`, { method: 'DELETE', headers });
      await response.arrayBuffer();
      expect(response.status).toBe(200);
      ids.push(response.headers.get('revocation-id'));
    }
  };
  const revoking = revokeAll();
  const file = join(folder, 'archive.jsonl');
  const [archive, pruned] = await Promise.all([
    done<ArchiveAnswer>(env, 'archive', '--before', '2020-01-01', '--to', file),
    done<{ credentials: object; longestTransactionMs: number }>(env, 'prune'),
  ]);
  over = true;
  await revoking;

  expect(archive.archived).toMatchObject({ firstSeq: 1, lastSeq: 10_000, deliveries: 10_000 });
  expect(readArchive(file).entries).toHaveLength(10_000);
  expect(pruned.credentials).toMatchObject({ 'api-key': 10_000 });
  for (const { longestTransactionMs } of [archive, pruned]) {
    expect(longestTransactionMs).toBeGreaterThan(0);
  }
  const recorded = await other.all<{ seq: number; id: string; action: string }>(
    'select seq, id, action from ledger order by seq',
  );
  expect(recorded.map(({ seq }) => seq)).toEqual(recorded.map((_, i) => 10_001 + i));
  const revoked = recorded.filter(({ action }) => action === 'revoke').map(({ id }) => id);
  expect(revoked).toEqual(ids);
  expect(ids.length).toBeGreaterThan(20);
}, 120_000);

test('more entries than would fit into memory are archived', async () => {
  const { folder, env, other } = await withRows(1, 1);
  // Together some 150 MB.
  await other.all(
    `insert into ledger (seq, id, organization_id, at_ms, action, kind, target, outcome, comment,
       actor, surface, request_id)
     with recursive n(i) as (select 2 union all select i + 1 from n where i < 6000)
     select i, 'entry-' || i, organization_id, 1, 'update', 'api-key', 'key', 'done',
       '${'x'.repeat(25_000)}', 'ada', 'rest', 'req' from n, ledger where seq = 1`,
  );
  const small = { ...env, NODE_OPTIONS: '--max-old-space-size=112' };
  const file = join(folder, 'archive.jsonl');
  const { archived } = await done<ArchiveAnswer>(
    small,
    'archive',
    '--before',
    '2020-01-01',
    '--to',
    file,
  );
  expect(archived).toMatchObject({ lastSeq: 5_999, entries: 5_999 });
  expect((await gateway(small, 'archive', 'check', file)).code).toBe(0);
}, 120_000);
