import { expect, test } from 'vitest';
import type { Tables } from '../db/tables.ts';
import { makeKey, sign } from './issuers.ts';
import { clientWithKeys, post, type Served, serveGateway } from './oauth-clients.ts';

/** Each assertion is accepted once, for as long as it would count. */

async function open(now?: () => number) {
  const h = await serveGateway(now === undefined ? {} : { now });
  const key = await makeKey();
  const clientId = await clientWithKeys(h, key.jwk);
  const assertion = (exp: number, jti: string = crypto.randomUUID(), iss = clientId) =>
    sign(key, { iss, sub: iss, aud: h.url, jti, exp, iat: undefined });
  return { h, key, clientId, assertion };
}

async function present(h: Served, client_assertion: string, endpoint = 'introspect') {
  const client_assertion_type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
  const form = { token: 'x', grant_type: 'client_credentials', client_assertion };
  return (await post(h, endpoint, { ...form, client_assertion_type })).status;
}

const kept = (h: Served, table: keyof Tables = 'client_assertions') =>
  h.running.database.reader.selectFrom(table).selectAll().execute();

const soon = () => Math.floor(Date.now() / 1000) + 60;

test('once at one endpoint is once at all of them', async () => {
  const { h, assertion } = await open();
  for (const first of ['token', 'introspect', 'revoke']) {
    const used = await assertion(soon());
    expect(await present(h, used, first)).toBe(200);
    for (const again of ['token', 'introspect', 'revoke']) {
      expect(await present(h, used, again)).toBe(401);
    }
  }
});

test('a jti is used up, whatever else the assertion says', async () => {
  const { h, assertion } = await open();
  expect(await present(h, await assertion(soon(), 'the-jti'))).toBe(200);
  expect(await present(h, await assertion(soon() + 30, 'the-jti'))).toBe(401);
});

test('a jti of one client is not used up for another', async () => {
  const { h, key, assertion } = await open();
  const other = await clientWithKeys(h, key.jwk);
  expect(await present(h, await assertion(soon(), 'the-jti'))).toBe(200);
  expect(await present(h, await assertion(soon(), 'the-jti', other))).toBe(200);
});

test('50 at once with one assertion: one is known', async () => {
  const { h, assertion } = await open();
  const used = await assertion(soon());
  const statuses = await Promise.all(Array.from({ length: 50 }, () => present(h, used)));
  expect(statuses.toSorted()).toEqual([200, ...Array(49).fill(401)]);
});

test('what an attacker signs does not use up a jti', async () => {
  const { h, clientId, assertion } = await open();
  const stranger = await makeKey();
  const claims = { iss: clientId, sub: clientId, aud: h.url, jti: 'the-jti', exp: soon() };
  expect(await present(h, await sign(stranger, claims))).toBe(401);
  expect(await present(h, await assertion(soon(), 'the-jti'))).toBe(200);
});

test('up to the last moment at which it counts it is known to be used, then it is forgotten', async () => {
  let nowMs = 1_800_000_000_000;
  const { h, assertion } = await open(() => nowMs);
  const exp = nowMs / 1000 + 60.5;
  const used = await assertion(exp);
  expect(await present(h, used)).toBe(200);
  const unused = await assertion(exp);
  for (; (await present(h, await assertion(exp))) === 200; nowMs += 100) {
    expect(await present(h, used)).toBe(401);
  }
  // It did end, and by the clock, with the tolerance that others' clocks have.
  expect(nowMs / 1000 - exp).toBeGreaterThan(4);
  expect(nowMs / 1000 - exp).toBeLessThan(7);
  expect(await present(h, unused)).toBe(401);
  nowMs += 2_000;
  expect(await present(h, await assertion(nowMs / 1000 + 60))).toBe(200);
  expect(await kept(h)).toHaveLength(1);
});
