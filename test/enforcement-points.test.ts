import { describe, expect, test } from 'vitest';
import type { Delivery } from '../db/tables.ts';
import { askEveryRoute, tokenWith, whoIs } from './callers.ts';
import { acknowledge, endOf, hasSeq, makePoint, openFollowed, revokeKeys } from './feed-client.ts';
import { type Harness, openGateway } from './harness.ts';
import { ask as mutate } from './identities.ts';
import { organizationRow } from './kinds.ts';

/** Enforcement points: made, acknowledging, asking, and revoked. */

const targetOf = (h: Harness, id: string) =>
  h.running.database.reader
    .selectFrom('targets')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirstOrThrow();

const deliveriesTo = (h: Harness, id: string): Promise<Delivery[]> =>
  h.running.database.reader
    .selectFrom('deliveries')
    .selectAll()
    .where('target_id', '=', id)
    .orderBy('seq')
    .execute();

test('a point is a credential and a target with one id, and is owed every end from then on', async () => {
  const h = await openGateway();
  await revokeKeys(h, 1);
  const { id, token } = await makePoint(h);
  expect(token).toMatch(/^rgw_ep_[\w-]{43}$/);
  const { id: organizationId } = await organizationRow(h, 'acme');
  expect(await h.row(id)).toMatchObject({
    ...{ kind: 'enforcement-point', parent_id: organizationId, name: 'edge' },
    permissions: '["credential:introspect"]',
  });
  expect(await targetOf(h, id)).toMatchObject({
    ...{ kind: 'enforcement-point', scope_id: organizationId, name: 'edge' },
    ...{ url: '', secret_jwe: '', removed_at_ms: null },
  });
  await h.rest('DELETE', '/service-accounts/x/tokens/y', h.demo.callers.admin);
  const { tokenId = '' } = h.demo.accessToken[0] ?? {};
  await mutate(h, 'revokeToken', { tokenId });
  const owed = (await h.ledger()).filter(({ target_id }) => target_id === tokenId);
  expect((await deliveriesTo(h, id)).map(({ seq }) => seq)).toEqual(owed.map(({ seq }) => seq));
  const { data } = await h.graphql(
    '{ me { enforcementPoints { edges { node { id name } } } } }',
    {},
    await tokenWith(h, ['target:manage']),
  );
  expect(data).toEqual({ me: { enforcementPoints: { edges: [{ node: { id, name: 'edge' } }] } } });
});

test.each([
  [
    'by its mutation',
    (h: Harness, { id }: { id: string }) =>
      mutate(h, 'revokeEnforcementPoint', { enforcementPointId: id }),
  ],
  [
    'by its value',
    (h: Harness, { token }: { token: string }) =>
      h.rest('POST', '/oauth/revoke', h.demo.callers.admin, {
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        payload: new URLSearchParams({ token }).toString(),
      }),
  ],
])(
  'revoked %s, it is owed nothing, and its name is free; others are owed as before',
  async (_how, revoke) => {
    const h = await openGateway();
    const [point, other] = [await makePoint(h), await makePoint(h, 'other')];
    await revokeKeys(h, 2);
    const before = await deliveriesTo(h, other.id);
    await revoke(h, point);
    const row = await h.row(point.id);
    expect(row.revoked_by).toBe('admin');
    expect((await targetOf(h, point.id)).removed_at_ms).toBe(row.revoked_at_ms);
    const closed = { closed_at_ms: row.revoked_at_ms, closed_by: 'admin' };
    const each = { ...closed, closed_reason: 'The target was removed', acknowledged_at_ms: null };
    expect(await deliveriesTo(h, point.id)).toMatchObject([each, each]);
    await h.rest(
      'POST',
      `/api/v1/auth/token-auth/tokens/${h.demo.accessToken[0]?.tokenId}/revoke`,
      h.demo.callers.admin,
    );
    expect(await deliveriesTo(h, point.id)).toHaveLength(2);
    // Told of the point too, and of what came after.
    const after = await deliveriesTo(h, other.id);
    expect(after.slice(0, before.length)).toEqual(before);
    expect(after).toHaveLength(before.length + 2);
    await makePoint(h);
  },
);

test('it calls nothing but the feed and introspection', async () => {
  const h = await openGateway();
  const { token } = await makePoint(h);
  expect(await whoIs(h, token)).toBeNull();
  for (const { status } of await askEveryRoute(h, token)) expect([401, 403]).toContain(status);
  const form = { headers: { 'content-type': 'application/x-www-form-urlencoded' } };
  const payload = new URLSearchParams({ token: h.demo.apiKey[0]?.key ?? '' }).toString();
  const asked = (path: string) => h.rest('POST', path, token, { ...form, payload });
  expect((await asked('/oauth/revoke')).status).toBe(401);
  expect((await h.rows()).filter(({ revoked_at_ms }) => revoked_at_ms !== null)).toEqual([]);
  expect(JSON.parse((await asked('/oauth/introspect')).body)).toMatchObject({ active: true });
});

describe('an acknowledgement', () => {
  test('is of everything up to it, says when the point was told, and is given once', async () => {
    const { h, url, point, feed } = await openFollowed();
    const other = await makePoint(h, 'other');
    await revokeKeys(h, 3);
    const [first, second, third] = await deliveriesTo(h, point.id);
    await feed.until(hasSeq(third?.seq ?? 0));
    const answer = await acknowledge(url, point.token, { seq: second?.seq });
    expect([answer.status, await answer.text()]).toEqual([204, '']);
    const done = await deliveriesTo(h, point.id);
    expect(done[2]).toEqual(third);
    for (const [i, before] of [first, second].entries()) {
      const { at_ms = 0 } = (await h.ledger()).find(({ seq }) => seq === before?.seq) ?? {};
      const { notified_at_ms, acknowledged_at_ms, ...rest } = done[i] as Delivery;
      expect(notified_at_ms).toBeGreaterThanOrEqual(at_ms);
      expect(acknowledged_at_ms).toBeGreaterThanOrEqual(notified_at_ms ?? 0);
      expect({ ...rest, notified_at_ms: null, acknowledged_at_ms: null }).toEqual({
        ...before,
        attempts: 1,
      });
    }
    expect((await acknowledge(url, point.token, { seq: second?.seq })).status).toBe(204);
    expect(await deliveriesTo(h, point.id)).toEqual(done);
    const owed = await deliveriesTo(h, other.id);
    expect(owed.every((delivery) => delivery.acknowledged_at_ms === null)).toBe(true);
  });

  test('of what the gateway has not told does not say when it was', async () => {
    const { h, url } = await openFollowed();
    const { id, token } = await makePoint(h, 'other');
    await revokeKeys(h, 1);
    expect((await acknowledge(url, token, { seq: await endOf(h) })).status).toBe(204);
    const [delivery] = await deliveriesTo(h, id);
    expect(delivery?.acknowledged_at_ms).not.toBeNull();
    expect(delivery).toMatchObject({ notified_at_ms: null, attempts: 0 });
  });

  test('of nothing that is there is refused', async () => {
    const { h, url, point } = await openFollowed();
    const ahead = (await endOf(h)) + 1;
    for (const body of [
      { seq: ahead },
      { seq: -1 },
      { seq: 1.5 },
      { seq: '1' },
      {},
      [],
      '',
      'x',
      'null',
    ]) {
      const response = await acknowledge(url, point.token, body);
      expect([body, response.status]).toEqual([body, 400]);
      expect(response.headers.get('content-type')).toBe('application/problem+json');
    }
    expect((await acknowledge(url, point.token, `"${'x'.repeat(2_000)}"`)).status).toBe(413);
    expect((await fetch(`${url}/feed/acknowledgement`)).status).toBe(405);
    expect((await acknowledge(url, point.token, { seq: 0 })).status).toBe(204);
  });
});
