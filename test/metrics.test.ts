import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { newSecret } from '../src/secrets.ts';
import { acknowledge, endOf, followFeed, isPosition, makePoint } from './feed-client.ts';
import { revokeMany } from './many.ts';
import { clientWith, post } from './oauth-clients.ts';
import { openObserved } from './observed.ts';
import { makeHook, mutate, revokeKey, until } from './targets.ts';

/** What Prometheus reads of what clients have done. */

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

test('requests are counted and timed by the pattern of their route', async () => {
  const { h, url, scrape } = await openObserved();
  const { applicationId, keyId } = h.demo.apiKey[0] ?? {};
  const path = `/api/v1/applications/${applicationId}/api-keys/${keyId}`;
  const headers = bearer(h.demo.callers.admin);
  for (let i = 0; i < 2; i++) await fetch(`${url}${path}`, { method: 'DELETE', headers });
  await fetch(`${url}${path}`, { method: 'PATCH' });
  await until(async () => {
    const read = await scrape();
    const of = (method: string, status: string) =>
      read.sum('gateway_http_requests_total', {
        ...{ route: '/api/v1/applications/:id/api-keys/:keyId', method, status },
      });
    expect([of('DELETE', '200'), of('DELETE', '404'), of('PATCH', '405')]).toEqual([1, 1, 1]);
    const timed = { route: '/api/v1/applications/:id/api-keys/:keyId', method: 'DELETE' };
    expect(read.sum('gateway_http_request_duration_seconds_count', timed)).toBe(2);
    const seconds = read.sum('gateway_http_request_duration_seconds_sum', timed);
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThan(10);
  });
});

test('whatever clients send, there are no more series, and nothing of it is among them', async () => {
  const { h, url, metricsUrl, scrape } = await openObserved();
  const token = h.demo.callers.admin;
  const ask = async (name: string) => {
    const json = { ...bearer(token), 'content-type': 'application/json' };
    await fetch(`${url}/${name}?${name}`);
    await fetch(`${url}/service-accounts/${name}/tokens/${name}`, {
      ...{ method: 'DELETE', headers: bearer(token) },
    });
    await fetch(`${url}/oauth/introspect`, { method: 'POST', headers: bearer(name) });
    const query = `mutation ${name} { ${name}: revokeApiKey(input: { applicationId: "${name}", keyId: "${name}" }) { __typename } }`;
    await fetch(`${url}/graphql`, {
      ...{ method: 'POST', headers: json, body: JSON.stringify({ query }) },
    });
  };
  await ask('first');
  const counted = (read: Awaited<ReturnType<typeof scrape>>) =>
    read.samples.filter(({ name }) => name.startsWith('gateway_')).length;
  await until(async () => expect((await scrape()).sum('gateway_http_requests_total')).toBe(4));
  const before = counted(await scrape());
  const secret = newSecret('api-key');
  for (const name of [secret, 'another', 'third', 'a'.repeat(500)]) await ask(name);
  await until(async () => expect((await scrape()).sum('gateway_http_requests_total')).toBe(20));
  const read = await scrape();
  expect(counted(read)).toBe(before);
  expect(read.sum('gateway_http_requests_total', { route: 'none' })).toBe(5);
  for (const text of [secret, 'another', 'acme', token, h.demo.apiKey[0]?.keyId ?? '']) {
    expect(read.text).not.toContain(text);
  }
  expect((await fetch(metricsUrl.replace('/metrics', '/'))).status).toBe(404);
  expect((await fetch(metricsUrl, { method: 'POST' })).status).toBe(405);
  expect((await fetch(`${url}/metrics`)).status).toBe(404);
});

test('refusals are counted by code and surface', async () => {
  const { h, url, scrape } = await openObserved();
  const { admin } = h.demo.callers;
  await fetch(`${url}/service-accounts/x/tokens/y`, { method: 'DELETE' });
  await h.graphql('mutation { createApplication(input: { name: "" }) { __typename } }', {}, admin);
  await h.graphql('mutation { createApplication(input: { name: "x" }) { __typename } }');
  await post({ url }, 'introspect', { token: 'x' });
  await fetch(`${url}/feed`, { headers: bearer(admin) });
  await revokeMany(h, { kind: 'API_KEY', ids: ['nothing', 'nothing too'] });
  await until(async () => {
    const read = await scrape();
    const of = (code: string, surface: string) =>
      read.sum('gateway_refusals_total', { code, surface });
    expect(of('UNAUTHENTICATED', 'rest')).toBe(1);
    expect(of('UNAUTHENTICATED', 'graphql')).toBe(1);
    expect(of('INVALID_INPUT', 'graphql')).toBe(1);
    expect(of('UNAUTHENTICATED', 'oauth')).toBe(1);
    expect(of('NOT_AN_ENFORCEMENT_POINT', 'feed')).toBe(1);
    expect(of('NOT_FOUND', 'graphql')).toBe(2);
    expect(read.sum('gateway_refusals_total')).toBe(7);
  });
});

test('revocations are counted by kind once they are on disk, however they were asked for', async () => {
  const { h, url, scrape } = await openObserved({ count: 6 });
  const of = async (kind?: string) =>
    (await scrape()).sum('gateway_revocations_total', kind === undefined ? {} : { kind });
  expect(await of()).toBe(0);
  await revokeKey(h);
  const [, second, third, fourth] = h.demo.apiKey;
  const ids = [second, third].map((key) => key?.keyId ?? '');
  expect((await revokeMany(h, { kind: 'API_KEY', ids: [...ids, 'none'] })).revoked).toBe(2);
  const client = await clientWith(h, ['api-key:revoke']);
  await post({ url }, 'revoke', {
    ...{ token: fourth?.key ?? '' },
    ...{ client_id: client.clientId, client_secret: client.clientSecret },
  });
  expect(await of('api-key')).toBe(4);
  // What takes the place of something ends it.
  const { projectName, username, jwkName } = h.demo.jwkValidation[0] ?? {};
  const assigned = await mutate(
    h,
    'assignJwkValidation',
    { projectName, username, jwkName },
    '__typename',
  );
  expect(assigned).not.toHaveProperty('code');
  expect(await of('jwk-validation')).toBe(1);
  expect(await of()).toBe(5);
});

test('attempts at targets, and how long after a revocation each kind has acknowledged', async () => {
  const { h, url, scrape } = await openObserved();
  let well = false;
  const hook = await makeHook(h, 'hook', (r) => r.writeHead(well ? 204 : 500).end());
  const point = await makePoint(h);
  const feed = await followFeed(url, point.token);
  await feed.until(isPosition);
  await revokeKey(h);
  const attempts = async (outcome: string) =>
    (await scrape()).sum('gateway_delivery_attempts_total', { target_kind: 'webhook', outcome });
  await until(async () => expect(await attempts('failed')).toBeGreaterThan(0));
  const owed = await scrape();
  expect(owed.sum('gateway_outbox_open_deliveries', { target_kind: 'webhook' })).toBe(1);
  expect(owed.sum('gateway_outbox_open_deliveries', { target_kind: 'enforcement-point' })).toBe(1);
  await setTimeout(50);
  const age = (await scrape()).sum('gateway_outbox_oldest_age_seconds', { target_kind: 'webhook' });
  expect(age).toBeGreaterThan(0.05);
  expect(age).toBeLessThan(30);

  well = true;
  expect((await acknowledge(url, point.token, { seq: await endOf(h) })).status).toBe(204);
  await until(async () => expect(await attempts('acknowledged')).toBe(1));
  const read = await scrape();
  for (const target_kind of ['webhook', 'enforcement-point']) {
    expect(read.sum('gateway_time_to_effect_seconds_count', { target_kind })).toBe(1);
    const seconds = read.sum('gateway_time_to_effect_seconds_sum', { target_kind });
    expect(seconds).toBeGreaterThan(0.05);
    expect(seconds).toBeLessThan(30);
    expect(read.sum('gateway_outbox_open_deliveries', { target_kind })).toBe(0);
  }
  expect(read.sum('gateway_outbox_oldest_age_seconds')).toBe(0);
  // A test says nothing of how fast a revocation arrives.
  await mutate(h, 'testWebhook', { targetId: hook.id }, '__typename');
  await until(async () => expect(await attempts('acknowledged')).toBe(2));
  const after = await scrape();
  expect(after.sum('gateway_time_to_effect_seconds_count', { target_kind: 'webhook' })).toBe(1);
  feed.close();
});
