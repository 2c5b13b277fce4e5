import type { LedgerEntry, Revocable } from '../db/tables.ts';
import type { CrashEngine } from './crash-engines.ts';
import type { Told } from './crash-load.ts';
import type { Target } from './crash-targets.ts';

type Row = Pick<Revocable, 'id' | 'kind' | 'revoked_at_ms' | 'revoked_by' | 'revocation_id'>;
type Entry = Pick<
  LedgerEntry,
  'seq' | 'id' | 'at_ms' | 'action' | 'kind' | 'target_id' | 'target' | 'outcome' | 'actor'
>;

type Looked = Pick<CrashEngine, 'all' | 'damage'>;

/** Everything that is wrong in the database, held against what clients were told. */
export async function wrongIn(engine: Looked, told: Told): Promise<string[]> {
  const rows = await engine.all<Row>(
    'select id, kind, revoked_at_ms, revoked_by, revocation_id from revocables',
  );
  const entries = await engine.all<Entry>(
    'select seq, id, at_ms, action, kind, target_id, target, outcome, actor from ledger order by seq',
  );
  return [
    ...wrongWithAnswers(told, rows, entries),
    ...halfDone(rows, entries),
    ...wrongNumbers(entries),
    ...(await engine.damage()),
  ];
}

/** Whatever was answered is there, once, and is what was asked for. */
function wrongWithAnswers(told: Told, rows: readonly Row[], entries: readonly Entry[]): string[] {
  const rowOf = new Map(rows.map((row) => [row.id, row]));
  const byEntry = Map.groupBy(entries, ({ id }) => id);
  const wrong: string[] = [];
  for (const [id, { kind, name }] of told.revoked) {
    const found = byEntry.get(id) ?? [];
    const [entry] = found;
    const what = `revocation ${id} of ${kind} ${name}`;
    if (entry === undefined) wrong.push(`lost from the ledger: ${what}`);
    else if (found.length > 1) wrong.push(`${found.length} times in the ledger: ${what}`);
    else if (entry.action !== 'revoke' || entry.outcome !== 'done') {
      wrong.push(`not in the ledger as done: ${what}`);
    } else if (entry.kind !== kind || entry.target !== name) {
      wrong.push(`of something else in the ledger: ${what}`);
    } else if (rowOf.get(entry.target_id ?? '')?.revocation_id !== id) {
      wrong.push(`not marked as revoked: ${what}`);
    }
  }
  const targets = new Set(
    entries
      .filter(({ action, outcome }) => action === 'revoke' && outcome === 'done')
      .map(({ kind, target }) => `${kind} ${target}`),
  );
  for (const { kind, name } of told.revokedBefore) {
    if (!targets.has(`${kind} ${name}`)) wrong.push(`called revoked, and is not: ${kind} ${name}`);
  }
  const made = Map.groupBy(
    entries.filter(({ action, outcome }) => action === 'create' && outcome === 'done'),
    ({ target_id }) => target_id,
  );
  for (const id of told.created) {
    const times = made.get(id)?.length ?? 0;
    if (times !== 1) wrong.push(`${times} times in the ledger: the making of api-key ${id}`);
    if (!rowOf.has(id)) wrong.push(`made and lost: api-key ${id}`);
  }
  return wrong;
}

/** Each revoked row has one entry that revoked it, and each such entry its row. */
function halfDone(rows: readonly Row[], entries: readonly Entry[]): string[] {
  const revocations = entries.filter(
    ({ action, outcome }) => action === 'revoke' && outcome === 'done',
  );
  const byTarget = Map.groupBy(revocations, ({ target_id }) => target_id);
  const revoked = rows.filter(({ revoked_at_ms }) => revoked_at_ms !== null);
  const fits = (row: Row) => {
    const [entry, ...more] = byTarget.get(row.id) ?? [];
    return (
      entry !== undefined &&
      more.length === 0 &&
      entry.id === row.revocation_id &&
      entry.kind === row.kind &&
      entry.at_ms === row.revoked_at_ms &&
      entry.actor === row.revoked_by
    );
  };
  const ids = new Set(revoked.map(({ id }) => id));
  const creations = new Set(rows.map(({ id }) => id));
  return [
    ...revoked.filter((row) => !fits(row)).map((row) => `half done: ${JSON.stringify(row)}`),
    ...revocations
      .filter(({ target_id }) => !ids.has(target_id ?? ''))
      .map((entry) => `in the ledger alone: ${JSON.stringify(entry)}`),
    ...entries
      .filter(({ action, target_id }) => action === 'create' && !creations.has(target_id ?? ''))
      .map((entry) => `made in the ledger alone: ${JSON.stringify(entry)}`),
  ];
}

const wrongNumbers = (entries: readonly Entry[]): string[] =>
  entries
    .filter(({ seq }, i) => seq !== (entries[0]?.seq ?? 0) + i)
    .slice(0, 1)
    .map(({ seq }) => `a gap in the ledger before ${seq}`);

/** Of what is revoked, and of what is not, some are asked about. */
export async function wrongWithSecrets(
  url: string,
  client: { readonly clientId: string; readonly clientSecret: string },
  samples: { readonly revoked: readonly Target[]; readonly good: readonly Target[] },
): Promise<string[]> {
  const authorization = `Basic ${btoa(`${client.clientId}:${client.clientSecret}`)}`;
  const ask = async ({ kind, name, secret }: Target, expected: boolean): Promise<string[]> => {
    if (secret === undefined) return [];
    const body = new URLSearchParams({ token: secret });
    const response = await fetch(`${url}/oauth/introspect`, {
      method: 'POST',
      headers: { authorization },
      body,
    });
    const { active } = (await response.json()) as { active?: boolean };
    if (active === expected) return [];
    return [`${kind} ${name} is ${expected ? 'not good, though nobody revoked it' : 'still good'}`];
  };
  const answers = await Promise.all([
    ...samples.revoked.map((target) => ask(target, false)),
    ...samples.good.map((target) => ask(target, true)),
  ]);
  return answers.flat();
}
