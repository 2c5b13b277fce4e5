import { expect, test } from 'vitest';
import type { Revocable } from '../db/tables.ts';
import { hashSecret } from '../src/secrets.ts';
import { askEveryRoute, change, whoIs } from './callers.ts';
import { past } from './engine.ts';
import type { Harness } from './harness.ts';
import { openGateway } from './harness.ts';
import { newToken, withTokenAuth } from './identities.ts';
import { add, insert, organizationRow } from './kinds.ts';
import { clientWithKeys, introspected, serveGateway } from './oauth-clients.ts';
import { type Ended, gateway, gatewayJson, newFolder, settingsIn } from './processes.ts';
import { archiveNow, pruneNow } from './retention.ts';
import { makeHook, mutate, openReaching } from './targets.ts';

/** `gateway prune`: what no verdict needs any more goes, and nothing else. */

const DAY_MS = 86_400_000;
const longAgo = () => Date.now() - 40 * DAY_MS;
const lately = () => Date.now() - 10 * DAY_MS;

interface PruneAnswer {
  readonly dryRun: boolean;
  readonly credentials: Record<string, number>;
  readonly assertions: number;
  readonly secrets: number;
  readonly longestTransactionMs: number;
}

const kinds = ['access-token', 'api-key', 'personal-access-token', 'service-account-token'];

/** A credential of each kind that can expire, and when it does. */
async function withEach(h: Harness, expires_at_ms: number | null): Promise<Revocable[]> {
  const organization = await organizationRow(h, 'acme');
  const owner = await add(h, organization, 'application', { name: 'owner' });
  return await Promise.all(kinds.map((kind) => add(h, owner, kind, { expires_at_ms })));
}

const has = async (h: Harness, rows: readonly Revocable[]): Promise<number> => {
  const ids = new Set((await h.rows()).map(({ id }) => id));
  return rows.filter(({ id }) => ids.has(id)).length;
};

const none = { credentials: {}, assertions: 0, secrets: 0 };

test('what has expired long ago goes, of each kind, and what has not stays', async () => {
  const h = await openGateway();
  const old = await withEach(h, longAgo());
  const kept = [...(await withEach(h, lately())), ...(await withEach(h, null))];
  kept.push(...(await withEach(h, Date.now() + DAY_MS)));
  const env = settingsIn(h.folder);
  const each = Object.fromEntries(kinds.map((kind) => [kind, 1]));

  const said = await gatewayJson<PruneAnswer>(env, 'prune', '--dry-run');
  expect(said).toMatchObject({ ...none, dryRun: true, credentials: each });
  expect(await has(h, old)).toBe(kinds.length);
  const done = await gatewayJson<PruneAnswer>(env, 'prune');
  expect(done).toMatchObject({ ...none, dryRun: false, credentials: each });
  expect(done.longestTransactionMs).toBeGreaterThan(0);
  expect([await has(h, old), await has(h, kept)]).toEqual([0, kept.length]);
  expect((await gateway(env, 'prune')).stdout).toBe('Nothing to do.\n');

  const sooner = await gateway(env, 'prune', '--expired-for', '5d');
  expect(sooner.stdout).toContain('Removed api-key: 1\n');
  expect(await has(h, kept)).toBe(2 * kinds.length);
});

test('whoever presents it is refused as before', async () => {
  const h = await serveGateway();
  const jwt = h.demo.callers.expired;
  const pat = h.demo.callers.personalAccessToken;
  const rows = await h.rows();
  const row = (secret: string) => rows.find((each) => each.secret_hash === hashSecret(secret));
  const asked = async (token: string) => [
    await whoIs(h, token),
    (await askEveryRoute(h, token)).map(({ status }) => status),
    await introspected(h, token),
  ];
  for (const token of [jwt, pat]) {
    await change(h, row(token)?.id ?? '', { expires_at_ms: longAgo() });
    const before = await asked(token);
    await pruneNow(h);
    expect((await h.rows()).some(({ id }) => id === row(token)?.id)).toBe(false);
    expect(await asked(token)).toEqual(before);
    expect(before[2]).toEqual({ active: false });
  }
});

test('what is revoked stays until it has expired, and its revocation is archived', async () => {
  const h = await openGateway();
  const { tokenId = '' } = h.demo.accessToken[0] ?? {};
  const path = `/api/v1/auth/token-auth/tokens/${tokenId}/revoke`;
  expect((await h.rest('POST', path, h.demo.callers.admin)).status).toBe(200);
  await h.rest('POST', path, h.demo.callers.admin);
  const { id } = await h.row(tokenId);
  const stays = async () => (await h.rows()).some((row) => row.id === id);
  const other = await past(h.folder);
  const remove = () => other.all('delete from revocables where id = ?', id);
  const kept = 'what is revoked stays revoked';

  await expect(remove()).rejects.toThrow(kept);
  expect(await pruneNow(h)).toMatchObject(none);
  await change(h, id, { expires_at_ms: longAgo() });
  await expect(remove()).rejects.toThrow(kept);
  expect(await pruneNow(h)).toMatchObject(none);
  await archiveNow(h, 'a.jsonl');
  await change(h, id, { expires_at_ms: Date.now() + DAY_MS });
  await expect(remove()).rejects.toThrow(kept);
  await change(h, id, { expires_at_ms: null });
  await expect(remove()).rejects.toThrow(kept);
  expect([await pruneNow(h), await stays()]).toMatchObject([none, true]);
  await change(h, id, { expires_at_ms: longAgo() });
  expect(await pruneNow(h)).toMatchObject({ credentials: { 'access-token': 1 } });
  expect(await stays()).toBe(false);
});

test('what is kept beside a token goes with it', async () => {
  const h = await openGateway();
  const { id } = await newToken(h, await withTokenAuth(h, { accessTokenNumUsesLimit: 9 }));
  await change(h, id, { expires_at_ms: longAgo() });
  expect(await pruneNow(h)).toMatchObject({ credentials: { 'access-token': 1 } });
  const { reader } = h.running.database;
  const details = await reader.selectFrom('access_tokens').selectAll().execute();
  expect(details.map((detail) => detail.id)).not.toContain(id);
});

test('assertions that count no more are forgotten, those of others are not', async () => {
  const h = await openGateway();
  const clients = [await clientWithKeys(h, {}), await clientWithKeys(h, {})];
  for (const client_id of clients) {
    for (const [i, expires_at_ms] of [longAgo(), longAgo(), Date.now() + DAY_MS].entries()) {
      await insert(h, 'client_assertions', { client_id, assertion_hash: `${i}`, expires_at_ms });
    }
  }
  expect(await pruneNow(h, true)).toMatchObject({ ...none, assertions: 4 });
  expect(await pruneNow(h)).toMatchObject({ ...none, assertions: 4 });
  const { reader } = h.running.database;
  const left = await reader.selectFrom('client_assertions').select('assertion_hash').execute();
  expect(left.map(({ assertion_hash }) => assertion_hash)).toEqual(['2', '2']);
});

test('old secrets of targets are forgotten once they sign no more', async () => {
  const h = await openReaching();
  for (const [name, overlapSeconds] of [
    ['a', 1],
    ['b', 3_600],
  ] as const) {
    const { id } = await makeHook(h, name);
    const input = { targetId: id, overlapSeconds };
    expect(await mutate(h, 'rotateTargetSecret', input, 'secret')).not.toHaveProperty('code');
  }
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  expect(await pruneNow(h, true)).toMatchObject({ ...none, secrets: 1 });
  expect(await pruneNow(h)).toMatchObject({ ...none, secrets: 1 });
  const { reader } = h.running.database;
  const targets = await reader.selectFrom('targets').selectAll().orderBy('name').execute();
  expect(targets.map((target) => target.previous_secret_jwe === null)).toEqual([true, false]);
  expect(targets.every((target) => target.secret_jwe !== '')).toBe(true);
});

test('as many go as there are, also those that have expired at one moment', async () => {
  const h = await openGateway();
  const other = await past(h.folder);
  const { id } = await organizationRow(h, 'acme');
  const atMs = longAgo();
  const [unlike, revoked] = ['case when i % 3 = 0 then 1 end', "case when i % 3 = 0 then 'r' end"];
  await other.all(
    `insert into revocables (id, organization_id, parent_id, kind, issued_at_ms, expires_at_ms,
       revoked_at_ms, revocation_id)
     with recursive n(i) as (select 1 union all select i + 1 from n where i < 3000)
     select 'old-' || i, '${id}', '${id}', 'api-key', 1, ${atMs}, ${unlike}, ${revoked} from n`,
  );
  const entry = { id: 'r', organization_id: id, at_ms: 1, action: 'revoke', kind: 'api-key' };
  await insert(h, 'ledger', {
    ...{ ...entry, seq: 1, target_id: null, target: 'old', outcome: 'done', refusal: null },
    ...{ reason: null, comment: null, actor: 'ada', actor_id: null, surface: 'rest' },
    request_id: 'req',
  });
  expect(await pruneNow(h, true)).toMatchObject({ credentials: { 'api-key': 2_000 } });
  expect(await pruneNow(h)).toMatchObject({ credentials: { 'api-key': 2_000 } });
  const left = (await h.rows()).filter((row) => row.id.startsWith('old-'));
  expect(left).toHaveLength(1_000);
  expect(left.every((row) => row.revoked_at_ms === 1)).toBe(true);
});

test.each<[string, string[], RegExp]>([
  ['a duration that is too short', ['--expired-for', '59m'], /It is at least 1h/],
  ['no duration', ['--expired-for', 'long'], /such as 90s, 15m/],
  ['an unknown option', ['--all'], /unknown option '--all'/],
])('%s: says what to do', async (_what, args, words) => {
  const ended: Ended = await gateway(settingsIn(newFolder()), 'prune', ...args);
  expect(ended).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(words) });
});
