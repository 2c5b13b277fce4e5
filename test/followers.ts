import { expect, vi } from 'vitest';
import { past } from './engine.ts';
import { gatewayJson, settingsIn } from './processes.ts';
import { jsonOf, type Running, type Terminal } from './terminal.ts';

/** Ledgers that grow, and commands that print them. */

export interface Entry {
  readonly seq: number;
  readonly id: string;
  readonly action: string;
  readonly target: string;
}

/** What the ledger of acme has, by its ids. */
export async function entriesOf({ folder }: Terminal): Promise<{ seq: number; id: string }[]> {
  const other = await past(folder);
  const sql =
    "select seq, id from ledger where organization_id = (select id from revocables where slug = 'acme' and kind = 'organization') order by seq";
  return await other.all<{ seq: number; id: string }>(sql);
}

export const revokeSome = async (t: Terminal, ids: readonly string[]) => {
  const { code, stderr } = await t.run(['revoke', 'personal-access-token', ...ids, '--json']);
  expect([code, stderr]).toEqual([0, `${ids.length} REVOKED.\n`]);
};

/** Adds entries to the database, whether a gateway serves or not. */
export const mint = ({ folder }: Terminal, permissions = 'ledger:read') =>
  gatewayJson<{ id: string; token: string }>(
    settingsIn(folder),
    ...['token', '--organization', 'acme', '--permissions', permissions],
  );

export const seqs = (stdout: string) => jsonOf<Entry>(stdout).map(({ seq }) => seq);

/** Resolves once so many entries are printed. */
export const printed = ({ output }: Running, count: number) =>
  vi.waitUntil(() => output.stdout.split('\n').length > count, { interval: 10, timeout: 20_000 });
