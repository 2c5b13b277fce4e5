import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Delivery, LedgerEntry } from '../db/tables.ts';
import { type Archiving, archive } from '../src/retention/archive.ts';
import { prune } from '../src/retention/prune.ts';
import type { Past } from './engine.ts';
import type { Harness } from './harness.ts';
import { gateway, type Settings } from './processes.ts';

/** Archiving and pruning, and what archives hold. */

/** What `archive --json` prints. */
export interface ArchiveAnswer {
  readonly dryRun: boolean;
  readonly file: string | null;
  readonly archived: {
    readonly firstSeq: number;
    readonly lastSeq: number;
    readonly entries: number;
    readonly deliveries: number;
    readonly digest: string;
    readonly previousDigest: string | null;
    readonly lastAt: string;
  } | null;
  readonly finished: { readonly file: string; readonly lastSeq: number } | null;
  readonly waitsFor: { readonly seq: number; readonly targets: readonly object[] } | null;
  readonly longestTransactionMs: number;
}

export type ArchivedEntry = LedgerEntry & { readonly deliveries: readonly Omit<Delivery, 'seq'>[] };

/** The lines of an archive, read without the code that wrote them. */
export function readArchive(file: string) {
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  const read = lines.map((line) => JSON.parse(line));
  const entries = read.slice(1, -1).map(({ type, ...entry }) => {
    expect(type).toBe('entry');
    return entry as ArchivedEntry;
  });
  return { lines, header: read[0], entries, trailer: read.at(-1) };
}

/** Archives everything that can be, in the process of the test. */
export const archiveNow = (h: Harness, name: string, more: Partial<Archiving> = {}) =>
  archive({
    ...h.running.gateway,
    ...{ actor: 'operator test', requestId: 'req-test' },
    ...{ beforeMs: Number.MAX_SAFE_INTEGER, file: join(h.folder, name) },
    ...{ signal: new AbortController().signal, progress: () => undefined },
    ...more,
  });

export const pruneNow = (h: Harness, dryRun = false) =>
  prune({
    ...h.running.gateway,
    ...{ expiredForMs: 30 * 86_400_000, dryRun },
    ...{ signal: new AbortController().signal, progress: () => undefined },
  });

/** Runs `gateway archive` for everything that has happened by now. */
export const archiveBy = (env: Settings, file: string, ...args: readonly string[]) =>
  gateway(env, 'archive', '--before', new Date().toISOString(), '--to', file, '--json', ...args);

/** The same, which must succeed. */
export async function archivedBy(env: Settings, file: string): Promise<ArchiveAnswer> {
  const { code, stdout, stderr } = await archiveBy(env, file);
  if (code !== 0) throw new Error(`archive ended with ${code}: ${stderr}`);
  return JSON.parse(stdout) as ArchiveAnswer;
}

/** Has everything pruned and archived that can be, after a long time. */
export async function askRetention(
  h: Harness,
  record: <T>(asked: () => Promise<T>) => Promise<T>,
): Promise<void> {
  const { gateway: opened, database } = h.running;
  const later = { ...opened, now: () => Date.now() + 366 * 86_400_000 };
  const once = { ...h, running: { ...h.running, gateway: later } };
  const { credentials, assertions } = await record(() => pruneNow(once));
  expect(credentials['access-token']).toBeGreaterThan(0);
  expect(assertions).toBeGreaterThan(0);
  const { archived } = await record(() => archiveNow(once, 'archive.jsonl'));
  expect(archived?.entries).toBeGreaterThan(1);
  const { left } = await database.reader
    .selectFrom('ledger')
    .select(({ fn }) => fn.countAll<number>().as('left'))
    .where('seq', '<=', archived?.lastSeq ?? 0)
    .executeTakeFirstOrThrow();
  expect(left).toBe(0);
}

/** Adds entries to the ledger of an organization, each with a delivery that has arrived. */
export async function addEntries(other: Past, slug: string, count: number): Promise<void> {
  const [organization] = await other.all<{ id: string }>(
    'select id from revocables where slug = ? and parent_id is null',
    slug,
  );
  const id = organization?.id ?? '';
  const target = `target-of-${slug}`;
  await other.all(
    `insert into targets (id, organization_id, kind, scope_id, name, url, secret_jwe, created_at_ms,
       removed_at_ms)
     select ?, id, 'webhook', id, 'gone', '', '', 1, 1 from revocables where id = ?
       and not exists (select 1 from targets where id = ?)`,
    ...[target, id, target],
  );
  const [begin] = await other.all<{ end: number | null }>('select max(seq) as "end" from ledger');
  const end = begin?.end ?? 0;
  for (let from = end; from < end + count; from += ENTRIES_AT_ONCE) {
    const to = Math.min(from + ENTRIES_AT_ONCE, end + count);
    await other.all(
      `insert into ledger (seq, id, organization_id, at_ms, action, kind, target_id, target, outcome,
         refusal, reason, comment, actor, actor_id, surface, request_id)
       with recursive n(i) as (select ${from + 1} union all select i + 1 from n where i < ${to})
       select i, 'entry-' || i, '${id}', i, 'revoke', 'api-key', null, 'key', 'done',
         null, null, '${'x'.repeat(500)}', 'ada', null, 'rest', 'req' from n`,
    );
    await other.all(
      `insert into deliveries (seq, target_id, attempts, acknowledged_at_ms)
       select seq, '${target}', 1, 2 from ledger where seq > ${from} and seq <= ${to}`,
    );
  }
}

const ENTRIES_AT_ONCE = 5_000;
