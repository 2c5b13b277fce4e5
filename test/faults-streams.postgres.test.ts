import { expect, test } from 'vitest';
import type { Demo } from '../db/demo.ts';
import { followFeed } from './feed-client.ts';
import { gatewayJson, newFolder, serve, settingsIn } from './processes.ts';
import { subscribe } from './subscribers.ts';
import { tcpProxyTo } from './tcp-proxy.ts';

/** Streams while PostgreSQL is away: they end or go on, miss nothing, and the gateway stays. */

const createPoint = `mutation {
  made: createEnforcementPoint(input: { name: "edge" }) {
    ... on CreateEnforcementPointSuccess { secret } } }`;

test('a feed and a subscription over a time without a database', async () => {
  const settings = settingsIn(newFolder());
  const demo = await gatewayJson<Demo>(settings, 'demo', '--count', '3');
  const direct = new URL(settings.DATABASE_URL ?? '');
  const proxy = await tcpProxyTo(Number(direct.port));
  direct.port = String(proxy.port);
  const { url } = await serve({ ...settings, DATABASE_URL: direct.href, LOG_LEVEL: 'silent' });
  const headers = { authorization: `Bearer ${demo.callers.personalAccessToken}` };
  const revoke = async (i: number) => {
    const { applicationId, keyId = '' } = demo.apiKey[i] ?? {};
    const path = `/api/v1/applications/${applicationId}/api-keys/${keyId}`;
    expect((await fetch(url + path, { method: 'DELETE', headers })).status).toBe(200);
    return { keyId, target: `${applicationId}/${keyId}` };
  };
  const made = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify({ query: createPoint }),
  });
  const { data } = (await made.json()) as { data: { made: { secret: string } } };
  const point = data.made.secret;

  const feed = await followFeed(url, point);
  const subscriber = subscribe(url, demo.callers.admin);
  await subscriber.begun;
  const first = await revoke(0);
  const [told] = await subscriber.until(1);
  expect(told?.revocation.target).toBe(first.target);
  const fed = await feed.until((each) => JSON.stringify(each.data).includes(first.keyId));

  await proxy.cut();
  await expect
    .poll(async () => (await fetch(`${url}/health/ready`)).status, { timeout: 5_000 })
    .toBe(503);
  await Promise.all([feed.ended, subscriber.ended]);
  expect(subscriber.refused).toMatchObject([{ code: 'UNAVAILABLE' }]);
  expect(
    (await fetch(`${url}/feed`, { headers: { authorization: `Bearer ${point}` } })).status,
  ).toBe(503);
  expect((await fetch(`${url}/health/live`)).status).toBe(200);
  await proxy.restore();

  const second = await revoke(1);
  const again = await followFeed(url, point, { after: fed.id });
  await again.until((each) => JSON.stringify(each.data).includes(second.keyId));
  const resumed = subscribe(url, demo.callers.admin, { after: told?.cursor ?? '' });
  expect((await resumed.until(1))[0]?.revocation.target).toBe(second.target);
});
