import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { IDS_MAX } from '../src/credentials/revoke-many.ts';
import { hashSecret } from '../src/secrets.ts';
import { tokenWith } from './callers.ts';
import { engine, past } from './engine.ts';
import { type Harness, openGateway } from './harness.ts';
import { addTokens, codes, postMany, resultOf } from './many.ts';

/** A long call beside others: it holds nobody up, and goes on whatever becomes of its client. */

const kind = 'PERSONAL_ACCESS_TOKEN';
/** An engine in another process takes longer for each. */
const [MANY, SOME] = engine === 'sqlite' ? [IDS_MAX, 3_000] : [1_000, 500];

async function serve(count: number) {
  const h = await openGateway();
  const ids = await addTokens(h.running, count);
  await h.app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = h.app.server.address() as AddressInfo;
  return { h, ids, url: `http://127.0.0.1:${port}` };
}

const revokedOf = async (h: Harness, ids: readonly string[]) => {
  const rows = new Map((await h.rows()).map((row) => [row.id, row]));
  return ids.map((id) => rows.get(id)?.revoked_at_ms !== null);
};

/** Resolves once some are revoked. */
const begun = (h: Harness) =>
  vi.waitUntil(async () => (await h.running.gateway.tail.position()) > 0, { interval: 1 });

test(`${MANY} ids: others are answered in between, and the ledger shows it`, async () => {
  const { h, ids, url } = await serve(MANY);
  const others = await addTokens(h.running, 200);
  let answered = false;
  const bulk = postMany(url, h.demo.callers.admin, { kind, ids })
    .then(resultOf)
    .finally(() => {
      answered = true;
    });
  const revokeOne = async (personalAccessTokenId: string) => {
    const query = `mutation ($input: RevokePersonalAccessTokenInput!) {
      result: revokePersonalAccessToken(input: $input) { __typename } }`;
    const variables = { input: { personalAccessTokenId } };
    const { data } = await h.graphql<{ result: object }>(query, variables, h.demo.callers.admin);
    expect(data.result).toEqual({ __typename: 'RevokePersonalAccessTokenSuccess' });
  };
  let before = 0;
  for (const id of others) {
    await revokeOne(id);
    if (answered) break;
    before += 1;
    await setTimeout(5);
  }
  expect(before).toBeGreaterThan(5);
  const result = await bulk;
  expect([result.revoked, result.refused]).toEqual([MANY, 0]);
  expect(result.results.map(({ id }) => id)).toEqual(ids);
  expect(await revokedOf(h, ids)).not.toContain(false);

  const entries = await h.ledger();
  const own = new Set(ids);
  const targets = entries.map(({ target_id }) => target_id ?? '');
  expect(targets.filter((id) => own.has(id))).toEqual(ids);
  const [from, to] = [targets.indexOf(ids[0] ?? ''), targets.indexOf(ids.at(-1) ?? '')];
  const between = targets.slice(from, to).filter((id) => !own.has(id));
  expect(between.length).toBeGreaterThan(5);
}, 60_000);

test('a caller that is revoked meanwhile does nothing more', async () => {
  const { h, ids, url } = await serve(SOME);
  const token = await tokenWith(h, ['personal-access-token:revoke']);
  const row = (await h.rows()).find(({ secret_hash }) => secret_hash === hashSecret(token));
  const bulk = postMany(url, token, { kind, ids }).then(resultOf);
  await begun(h);
  const own = { kind, ids: [row?.id ?? ''] };
  const ended = await resultOf(await postMany(url, h.demo.callers.admin, own));
  expect(codes(ended)).toEqual(['DONE']);
  const got = codes(await bulk);
  const count = got.indexOf('UNAUTHENTICATED');
  expect(count).toBeGreaterThan(0);
  expect(got).toEqual(ids.map((_, i) => (i < count ? 'DONE' : 'UNAUTHENTICATED')));
  expect(await revokedOf(h, ids)).toEqual(ids.map((_, i) => i < count));
  expect(await h.ledger()).toHaveLength(count + 1);
});

test('a client that leaves has it done all the same', async () => {
  const { h, ids, url } = await serve(SOME);
  const leaving = new AbortController();
  const bulk = postMany(url, h.demo.callers.admin, { kind, ids }, leaving.signal);
  const left = expect(bulk).rejects.toThrow('aborted');
  await begun(h);
  leaving.abort();
  await left;
  expect(await revokedOf(h, ids)).toContain(false);
  await vi.waitUntil(async () => !(await revokedOf(h, ids)).includes(false), { timeout: 20_000 });
  expect(await h.ledger()).toHaveLength(ids.length);
});

test('a fault rolls back the part in which it is, and a repeat finishes what is left', async () => {
  const { h, ids, url } = await serve(SOME);
  const database = await past(h.folder);
  const poisoned = ids[Math.floor(SOME * 0.8)];
  const broken =
    engine === 'sqlite'
      ? `create trigger poison before update on revocables when new.id = '${poisoned}'
         begin select raise(abort, 'poisoned'); end`
      : `create function poison() returns trigger language plpgsql as
         $$ begin raise exception 'poisoned'; end $$;
         create trigger poison before update on revocables for each row
         when (new.id = '${poisoned}') execute function poison()`;
  await database.all(broken);
  const failed = await postMany(url, h.demo.callers.admin, { kind, ids });
  expect(await failed.json()).toMatchObject({
    data: null,
    errors: [{ extensions: { code: 'INTERNAL_SERVER_ERROR' } }],
  });
  const count = (await revokedOf(h, ids)).indexOf(false);
  expect(count).toBeGreaterThan(0);
  expect(count).toBeLessThanOrEqual(Math.floor(SOME * 0.8));
  expect((await h.ledger()).map(({ target_id }) => target_id)).toEqual(ids.slice(0, count));

  const after = engine === 'sqlite' ? '' : ' on revocables';
  await database.all(`drop trigger poison${after};`);
  const result = await resultOf(await postMany(url, h.demo.callers.admin, { kind, ids }));
  expect(codes(result)).toEqual(ids.map((_, i) => (i < count ? 'ALREADY_REVOKED' : 'DONE')));
  const rows = new Map((await h.rows()).map((row) => [row.id, row]));
  for (const { id, error } of result.results.slice(0, count)) {
    expect(Date.parse(error?.revokedAt ?? '')).toBe(rows.get(id)?.revoked_at_ms);
  }
});
