import { expect, test } from 'vitest';
import { change, tokenWith } from './callers.ts';
import {
  acknowledge,
  changesIn,
  endOf,
  followFeed,
  hasSeq,
  isPosition,
  listenOn,
  makePoint,
  openFollowed,
  placeAt,
  revokeKeys,
} from './feed-client.ts';
import { type Harness, openGateway } from './harness.ts';
import { expectDone, ask as mutate, withTokenAuth } from './identities.ts';
import { add, organizationRow } from './kinds.ts';

/** `GET /feed`: who may follow it, what it tells, and that nothing is left out. */

test.each([
  ['nobody', 401, async () => undefined],
  ['what nobody has', 401, async () => 'rgw_ep_guess'],
  ['an API key', 401, async (h) => h.demo.apiKey[0]?.key],
  ['an expired JWT', 401, async (h) => h.demo.callers.expired],
  ['the admin', 403, async (h) => h.demo.callers.admin],
  ['an admin of another organization', 403, async (h) => h.demo.callers.outsider],
  ['a personal access token', 403, (h) => tokenWith(h, ['organization:admin'])],
] satisfies [string, number, (h: Harness) => Promise<string | undefined>][])(
  '%s is answered %i, and neither follows nor acknowledges',
  async (_who, status, tokenOf) => {
    const h = await openGateway();
    const url = await listenOn(h);
    const token = await tokenOf(h);
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    for (const [path, method] of [
      ['/feed', 'GET'],
      ['/feed/acknowledgement', 'POST'],
    ]) {
      const response = await fetch(`${url}${path}`, { method: method ?? '', headers });
      expect(response.status).toBe(status);
      expect(response.headers.get('content-type')).toBe('application/problem+json');
      expect(response.headers.get('cache-control')).toBe('no-store');
      expect(response.headers.get('www-authenticate')).toBe(status === 401 ? 'Bearer' : null);
      expect(await response.json()).toMatchObject({ status, instance: path });
    }
  },
);

test('what is asked for otherwise is refused', async () => {
  const { url, point } = await openFollowed();
  for (const after of ['x', '-1', '1.5', '1e3', '9'.repeat(16)]) {
    const query = await followFeed(url, point.token, { query: `?after=${after}` });
    const header = await followFeed(url, point.token, { after });
    expect([query.response.status, header.response.status]).toEqual([400, 400]);
  }
  for (const method of ['HEAD', 'POST', 'DELETE']) {
    const { status, headers } = await fetch(`${url}/feed`, { method });
    expect([status, headers.get('allow')]).toEqual([405, 'GET, OPTIONS']);
  }
});

test('each organization is told of its own alone', async () => {
  const { h, url, feed } = await openFollowed();
  const theirs = await makePoint(h, 'edge', h.demo.callers.outsider);
  const other = await followFeed(url, theirs.token);
  await other.until(isPosition);
  await revokeKeys(h, 1);
  expect((await feed.until(({ event }) => event === 'change')).data.id).toBe(
    h.demo.apiKey[0]?.keyId,
  );
  const input = { enforcementPointId: theirs.id };
  expectDone(await mutate(h, 'revokeEnforcementPoint', input, h.demo.callers.outsider));
  await other.ended;
  expect(changesIn(other)).toEqual([]);
  await feed.until(hasSeq(await endOf(h)));
  expect(changesIn(feed)).toHaveLength(1);
});

test('a snapshot has what is revoked or limited for JWTs, and nothing that is over', async () => {
  const h = await openGateway();
  const url = await listenOn(h);
  const organization = await organizationRow(h, 'acme');
  const revoked = { revoked_at_ms: Date.now() };
  const make = (kind: string, more: object = {}) =>
    add(h, organization, kind, { ...revoked, ...more });
  const told = [
    await make('identity'),
    await make('oauth-client'),
    await make('access-token', { expires_at_ms: Date.now() + 60_000 }),
    // For those whose clocks are behind.
    await make('access-token', { expires_at_ms: Date.now() - 1_000 }),
  ];
  await make('access-token', { expires_at_ms: 1 });
  await make('api-key');
  await add(h, await organizationRow(h, 'globex'), 'identity', revoked);
  await withTokenAuth(h);
  await withTokenAuth(h, { accessTokenTrustedIps: ['10.0.0.0/8'] });
  const limited = (await h.rows()).findLast(({ kind }) => kind === 'token-auth');

  const { token } = await makePoint(h);
  for (const after of [undefined, (await endOf(h)) + 1]) {
    const feed = await followFeed(url, token, { after });
    await feed.until(isPosition);
    const position = await endOf(h);
    const data = { position, revoked: told.map(({ id }) => id), limited: [limited?.id] };
    const id = placeAt(position);
    expect(feed.told[0]).toEqual({ event: 'snapshot', id, data: { ...data, more: false } });
    expect(feed.told[1]).toMatchObject({ id, data: { position } });
  }
});

test('a long snapshot comes in parts, and only the last has a position', async () => {
  const h = await openGateway({ count: 0 });
  const organization = await organizationRow(h, 'acme');
  for (let i = 0; i < 2_500; i++) await add(h, organization, 'identity', { revoked_at_ms: 1 });
  const feed = await followFeed(await listenOn(h), (await makePoint(h)).token);
  await feed.until(isPosition);
  const parts = feed.told.filter(({ event }) => event === 'snapshot');
  const sizes = parts.map(({ data }) => (data.revoked as string[]).length);
  expect(sizes).toEqual([1_000, 1_000, 500]);
  expect(parts.map(({ data }) => data.more)).toEqual([true, true, false]);
  expect(parts.map(({ id }) => id === undefined)).toEqual([true, true, false]);
  expect(new Set(parts.flatMap(({ data }) => data.revoked)).size).toBe(2_500);
});

test('it is told twice a second where the ledger ends, though nothing happens', async () => {
  const { feed } = await openFollowed();
  const moments: number[] = [];
  await feed.until((each) => isPosition(each) && moments.push(Number(each.data.now)) > 3);
  const positions = feed.told.filter(isPosition).map(({ data }) => Number(data.now));
  for (const [i, now] of positions.slice(1).entries()) {
    expect(now - (positions[i] ?? 0)).toBeLessThan(2_000);
  }
});

test('a point that is revoked, or whose organization is, is told nothing more', async () => {
  const { h, url, point, feed } = await openFollowed();
  expectDone(await mutate(h, 'revokeEnforcementPoint', { enforcementPointId: point.id }));
  await feed.ended;
  expect(feed.told.filter(hasSeq(await endOf(h)))).toEqual([]);
  expect((await followFeed(url, point.token)).response.status).toBe(401);
  expect((await acknowledge(url, point.token, { seq: 1 })).status).toBe(401);

  const another = await followFeed(url, (await makePoint(h, 'another')).token);
  await another.until(isPosition);
  await change(h, (await organizationRow(h, 'acme')).id, { revoked_at_ms: 1 });
  await another.ended;
});

test('one stream too many ends the oldest', async () => {
  const { url, point, feed } = await openFollowed();
  const more = await Promise.all(Array.from({ length: 10 }, () => followFeed(url, point.token)));
  await feed.ended;
  await Promise.all(more.map((each) => each.until(isPosition)));
});
