import { describe, expect, test } from 'vitest';
import type { Revocable } from '../db/tables.ts';
import { permissions } from '../src/permissions.ts';
import { hashSecret } from '../src/secrets.ts';
import { change, tokenWith } from './callers.ts';
import { ask, type Creation, pasted } from './creation.ts';
import { creations } from './creations.ts';
import { type Harness, type HarnessOptions, openGateway } from './harness.ts';
import { makeKey, trusting } from './issuers.ts';
import { organizationRow } from './kinds.ts';
import { isOnDisk, stored } from './stored.ts';

/** Everything that is made, whatever it is: the answer, the row and the ledger agree. */

const key = await makeKey();
const { trustedIssuers, outboundAllow } = trusting({ keys: [key.jwk] });
const open = ({ config, ...options }: HarnessOptions = {}) =>
  openGateway({ config: { trustedIssuers, outboundAllow, ...config }, ...options });

/** The entries that a test's own attempts have left, behind what its arrangement needed. */
const attemptsIn = async (h: Harness) =>
  (await h.ledger()).filter(({ request_id }) => request_id !== 'req-of-a-test');

/** Nothing has changed but the ledger, which has these refusals. */
async function expectUnchanged(h: Harness, before: unknown, refusals: readonly string[]) {
  expect(await stored(h)).toEqual(before);
  const entries = await attemptsIn(h);
  expect(entries.map(({ outcome, refusal }) => [outcome, refusal])).toEqual(
    refusals.map((refusal) => ['refused', refusal]),
  );
}

type Stored = Awaited<ReturnType<typeof stored>>;

/** What was not there before, of each table that has any. */
function added(before: Stored, after: Stored): Stored {
  const news = Object.entries(after).map(([table, rows]) => {
    const old = new Set(before[table]?.map((row) => JSON.stringify(row)));
    return [table, rows.filter((row) => !old.has(JSON.stringify(row)))] as const;
  });
  return Object.fromEntries(news.filter(([, rows]) => rows.length > 0));
}

describe.each(creations)('$mutation', (creation) => {
  const { action = 'create', kind, needs, wrong } = creation;

  test('is done: the answer, the row and the ledger agree', async () => {
    const h = await open();
    const { input, owner, parent = owner } = await creation.arrange(h, 'acme');
    const [acme, before] = [await organizationRow(h, 'acme'), await stored(h)];
    const { shown } = await ask(h, creation, input);

    const [entry, ...others] = await attemptsIn(h);
    expect(others).toEqual([]);
    expect(entry).toMatchObject({
      ...{ action, kind, outcome: 'done', refusal: null },
      ...{ target: creation.target(input, shown.id), target_id: shown.id },
      ...{ actor: 'admin', surface: 'graphql', organization_id: acme.id },
    });
    const [row, ...more] = rowsOf(creation, before, await stored(h));
    expect(more).toEqual([]);
    if (creation.changesNoRow) return expect(row).toBeUndefined();
    expect(row).toMatchObject({ id: shown.id, ...creation.row });
    if (creation.table !== undefined) return;
    const organization = kind === 'organization' ? shown.id : acme.id;
    expect(row).toMatchObject({
      ...{ kind, organization_id: organization, revoked_at_ms: null, revocation_id: null },
      ...(kind === 'organization' ? {} : { parent_id: parent?.id ?? acme.id }),
      ...(action === 'create' ? { issued_at_ms: entry?.at_ms, created_by: 'admin' } : {}),
    });
  });

  test('changes no other row that was there', async () => {
    const h = await open();
    const { input } = await creation.arrange(h, 'acme');
    const before = await stored(h);
    const { shown } = await ask(h, creation, input);
    const after = await stored(h);
    const gone = Object.values(added(after, before)).flat() as Revocable[];
    const makes = action === 'create' || action === 'revoke';
    expect(gone.filter(({ id }) => makes || id !== shown.id)).toEqual([]);
    expect(rowsOf(creation, before, after)).toHaveLength(creation.changesNoRow ? 0 : 1);
  });

  test('shows a secret once, which is good and nowhere on disk or in the log', async () => {
    const log: string[] = [];
    const logTo = { write: (line: string) => log.push(line) };
    const h = await open({ config: { logLevel: 'info' }, logTo });
    const { input } = await creation.arrange(h, 'acme');
    const { shown, secret } = await ask(h, creation, input);
    const { field, kind: known } = creation.secret ?? {};
    expect(typeof secret).toBe(field === undefined ? 'undefined' : 'string');
    expect(log.join()).toContain('"route":"/graphql"');
    for (const part of partsOf(secret)) {
      expect([await isOnDisk(h, part), log.join().includes(part)]).toEqual([false, false]);
    }
    const rows = (await h.rows()).filter((row) => row.secret_hash === hashSecret(secret ?? ''));
    expect(rows.map((row) => row.kind)).toEqual(known === undefined ? [] : [known]);
    if (known === undefined) return;
    const verified = await h.running.gateway.verify(secret ?? '', { use: false });
    expect(verified).toMatchObject({ kind: known });
    expect(verified).toHaveProperty('chain.0.id', rows[0]?.id);
    expect(known === kind ? rows[0]?.id : rows[0]?.parent_id).toBe(shown.id);
  });

  test('is open to a caller who may do just this', async () => {
    const h = await open();
    const { input } = await creation.arrange(h, 'acme');
    expect(await ask(h, creation, input, await tokenWith(h, needs))).toHaveProperty('shown');
  });

  test.each(needs)('is denied to a caller who lacks %s alone: nothing is made', async (lacked) => {
    const h = await open();
    const { input } = await creation.arrange(h, 'acme');
    const others = permissions.filter((each) => ![lacked, 'organization:admin'].includes(each));
    const token = await tokenWith(h, others);
    const before = await stored(h);
    const { code, missingPermissions } = await ask(h, creation, input, token);
    expect([code, missingPermissions]).toEqual(['PERMISSION_DENIED', [lacked]]);
    await expectUnchanged(h, before, ['PERMISSION_DENIED']);
  });

  test.each([
    ['an empty token', () => ''],
    ['an expired token', (h: Harness) => h.demo.callers.expired],
    ['a key that is no caller', (h: Harness) => h.demo.apiKey[0]?.key],
  ])('with %s is not done, and not recorded', async (_what, tokenOf) => {
    const h = await open();
    const { input } = await creation.arrange(h, 'acme');
    const before = await stored(h);
    const { code } = await ask(h, creation, input, tokenOf(h) ?? '');
    expect(code).toBe('UNAUTHENTICATED');
    await expectUnchanged(h, before, []);
  });

  test('with what cannot be says which field is wrong, before anything is asked', async () => {
    const h = await open();
    const { input } = await creation.arrange(h, 'acme');
    const before = await stored(h);
    expect(wrong.length).toBeGreaterThan(0);
    for (const [changed, path] of wrong) {
      const what = JSON.stringify(changed).slice(0, 200);
      const result = await ask(h, creation, { ...input, ...changed });
      expect(result, what).toMatchObject({ code: 'INVALID_INPUT' });
      const paths = result.issues?.map((issue) => issue.path);
      expect(paths, what).toContain(path);
      expect(JSON.stringify(result)).not.toContain(pasted);
    }
    await expectUnchanged(h, before, []);
  });
});

const owned = creations.filter(({ address }) => address !== undefined);

describe.each(owned)('$mutation', (creation) => {
  const { address = [] } = creation;

  test('below what is not there is refused, and what is there elsewhere is answered alike', async () => {
    const h = await open();
    const { input } = await creation.arrange(h, 'globex');
    const unknown = Object.fromEntries(address.map((field) => [field, 'nobody-has-this']));
    const before = await stored(h);
    const missing = await ask(h, creation, { ...input, ...unknown });
    const foreign = await ask(h, creation, input);
    expect(missing.code).toBe('NOT_FOUND');
    expect(foreign).toEqual(missing);
    await expectUnchanged(h, before, ['NOT_FOUND', 'NOT_FOUND']);
    for (const { target } of await attemptsIn(h)) expect(target).toMatch(/^fingerprint:[\w-]{22}$/);
  });
});

describe.each(owned.filter(({ whateverOwner }) => !whateverOwner))('$mutation', (creation) => {
  test.each([
    ['is revoked', { revoked_at_ms: 1, revoked_by: 'somebody' }],
    ['has expired', { expires_at_ms: 1 }],
  ])('below what %s is refused, however far above: nothing is made', async (_what, lost) => {
    for (let level = 0, levels = 1; level < levels; level++) {
      const h = await open();
      const { input, owner } = await creation.arrange(h, 'acme');
      const above = await ancestorsOf(h, owner);
      levels = above.length;
      await change(h, above[level]?.id ?? '', lost);
      const before = await stored(h);
      expect((await ask(h, creation, input)).code).toBe('OWNER_REVOKED');
      await expectUnchanged(h, before, ['OWNER_REVOKED']);
      await h.close();
    }
  });
});

describe.each(creations.filter(({ unique }) => unique))('$mutation', (creation) => {
  const { unique, table } = creation;

  test('is refused where it is there, and names stay taken once that is revoked', async () => {
    const h = await open();
    const { input } = await creation.arrange(h, 'acme');
    const { shown } = await ask(h, creation, input);
    const before = await stored(h);
    expect((await ask(h, creation, input)).code).toBe(unique);
    expect(await stored(h)).toEqual(before);
    expect((await h.ledger()).map(({ refusal }) => refusal)).toEqual([null, unique]);
    if (table !== undefined) return;
    await change(h, shown.id, { revoked_at_ms: 1, revoked_by: 'somebody' });
    const again = (await ask(h, creation, input)).code;
    expect(again).toBe(unique === 'NAME_TAKEN' ? unique : undefined);
  });

  test('50 at once: one is made', async () => {
    const h = await open();
    const { input } = await creation.arrange(h, 'acme');
    const before = await stored(h);
    const answers = await Promise.all(Array.from({ length: 50 }, () => ask(h, creation, input)));
    const codes = answers.map(({ code = 'DONE' }) => code);
    expect(codes.toSorted()).toEqual(['DONE', ...Array(49).fill(unique)].toSorted());
    expect(rowsOf(creation, before, await stored(h))).toHaveLength(1);
  });
});

/** A row and all above it, but not the organization. */
async function ancestorsOf(h: Harness, row: Revocable | undefined): Promise<Revocable[]> {
  if (row === undefined || row.parent_id === null) return [];
  return [row, ...(await ancestorsOf(h, await h.row(row.parent_id)))];
}

/** What was not there before. */
function rowsOf(creation: Creation, before: Stored, after: Stored): Revocable[] {
  const table = creation.table ?? 'revocables';
  const rows = added(before, after)[table] ?? [];
  return (rows as Revocable[]).filter(
    ({ kind }) => creation.table !== undefined || kind === creation.kind,
  );
}

/** What would give a secret away: of a key pair, its private member. */
function partsOf(secret: string | undefined): string[] {
  if (secret === undefined) return [];
  if (secret.startsWith('{')) return [(JSON.parse(secret) as { d: string }).d];
  return secret.startsWith('whsec_') ? [secret, secret.slice('whsec_'.length)] : [secret];
}
