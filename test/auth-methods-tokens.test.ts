import { decodeJwt } from 'jose';
import { describe, expect, test } from 'vitest';
import { readConfig } from '../src/config.ts';
import { accessTokenDetails } from '../src/credentials/access-token/details.ts';
import { lifetimeS, TOKEN_LIFETIME_MAX_S } from '../src/credentials/access-token/issue.ts';
import { Unauthenticated } from '../src/refusals.ts';
import { standingOf, whoIs } from './callers.ts';
import { type Harness, openGateway } from './harness.ts';
import {
  accessTokenOf,
  ask,
  expectDone,
  logIn,
  newToken,
  openReaching,
  withJwtAuth,
  withTokenAuth,
} from './identities.ts';
import { makeKey, sign } from './issuers.ts';

/** What auth methods set for access tokens: for how long, how often and from where they are good. */

const DAYS_90_S = 90 * 86_400;
const YEARS_10_S = 315_360_000;

test.each([
  // TTL, max TTL, period: lifetime.
  [600, 7_200, 0, 600],
  [7_200, 7_200, 0, 7_200],
  [1, 1, 0, 1],
  [0, 7_200, 0, 7_200],
  [600, 0, 0, 600],
  [0, 0, 0, DAYS_90_S],
  [YEARS_10_S, 0, 0, DAYS_90_S],
  [YEARS_10_S, YEARS_10_S, 0, DAYS_90_S],
  [0, YEARS_10_S, 0, DAYS_90_S],
  [DAYS_90_S, 0, 0, DAYS_90_S],
  [DAYS_90_S + 1, 0, 0, DAYS_90_S],
  [600, 7_200, 30, 30],
  [600, 7_200, 86_400, 86_400],
  [0, 0, 30, 30],
  [0, 60, 120, 120],
  [600, 7_200, YEARS_10_S, DAYS_90_S],
])('TTL %i, max TTL %i, period %i: %i s', async (ttlS, maxTtlS, periodS, expectedS) => {
  expect(TOKEN_LIFETIME_MAX_S).toBe(DAYS_90_S);
  expect(lifetimeS({ ttlS, maxTtlS, periodS, usesMax: 0 })).toBe(expectedS);

  let nowMs = Date.now();
  const h = await openReaching({ now: () => nowMs });
  const key = await makeKey();
  const settings = {
    ...{ accessTokenTTL: ttlS, accessTokenMaxTTL: maxTtlS, accessTokenPeriod: periodS },
  };
  const requested = await newToken(h, await withTokenAuth(h, settings));
  const identityId = await withJwtAuth(h, key, settings);
  const loggedIn = await logIn(h, { identityId, jwt: await sign(key) });
  expect(loggedIn).toMatchObject({ expiresIn: ttlS, accessTokenMaxTTL: maxTtlS });
  const tokens = [requested.token, (loggedIn as { accessToken: string }).accessToken];
  for (const token of tokens) {
    const { jti = '', iat = 0, exp } = decodeJwt(token);
    expect(exp).toBe(iat + expectedS);
    const [detail] = await accessTokenDetails(h.running.database.reader, [jti]);
    const kept = { ttl_s: ttlS, max_ttl_s: maxTtlS, period_s: periodS, num_uses_limit: 0 };
    expect(detail).toMatchObject(kept);
  }
  const standings = () => Promise.all(tokens.map((token) => standingOf(h, token)));
  nowMs += expectedS * 1000 - 1;
  expect(await standings()).toEqual(['good', 'good']);
  nowMs += 1;
  expect(await standings()).toEqual(['expired', 'expired']);
});

describe('a limit of uses', () => {
  const limited = { accessTokenNumUsesLimit: 3 };

  test('counts each use, and ends the token for every surface', async () => {
    const h = await openReaching();
    const key = await makeKey();
    const identityId = await withJwtAuth(h, key, limited);
    const tokens = [
      (await newToken(h, await withTokenAuth(h, limited))).token,
      await accessTokenOf(h, { identityId, jwt: await sign(key) }),
    ];
    for (const token of tokens) {
      const { jti = '' } = decodeJwt(token);
      for (let uses = 0; uses < 3; uses++) {
        expect(await usesOf(h, jti)).toEqual({ numUses: uses, numUsesLimit: 3 });
        expect(await whoIs(h, token)).toMatchObject({ name: expect.any(String) });
      }
      expect(await whoIs(h, token)).toBeNull();
      const path = `/api/v1/auth/token-auth/tokens/${jti}/revoke`;
      const { status, body } = await h.rest('POST', path, token);
      expect([status, JSON.parse(body).message]).toEqual([
        401,
        'Failed to authorize: token usage limit reached',
      ]);
      const looked = await h.running.gateway.verify(token, { use: false });
      expect(looked).toEqual(new Unauthenticated('usedUp', true));
      expect(await usesOf(h, jti)).toEqual({ numUses: 3, numUsesLimit: 3 });
    }
  });

  test('of which one is left lets one of many through', async () => {
    const h = await openGateway();
    const once = { accessTokenNumUsesLimit: 1 };
    const { token } = await newToken(h, await withTokenAuth(h, once));
    const known = await Promise.all(Array.from({ length: 50 }, () => whoIs(h, token)));
    expect(known.filter((me) => me !== null)).toHaveLength(1);
  });

  test('is each token its own, and as it was when the token was made', async () => {
    const h = await openReaching();
    const key = await makeKey();
    const identityId = await withJwtAuth(h, key, { accessTokenNumUsesLimit: 1 });
    const login = async () => accessTokenOf(h, { identityId, jwt: await sign(key) });
    const [first, second] = [await login(), await login()];
    expectDone(await ask(h, 'updateJwtAuth', { identityId, accessTokenNumUsesLimit: 0 }));
    const third = await login();
    for (const token of [first, second, third, third]) {
      expect(await standingOf(h, token)).toBe('good');
    }
    expect([await standingOf(h, first), await standingOf(h, second)]).toEqual(['usedUp', 'usedUp']);
    const { jti = '' } = decodeJwt(third);
    expect(await usesOf(h, jti)).toEqual({ numUses: null, numUsesLimit: null });
  });

  async function usesOf(h: Harness, id: string) {
    const query =
      'query Q($id: ID!) { me { node(id: $id) { ... on AccessToken { numUses numUsesLimit } } } }';
    type Shown = { me: { node: object } };
    const { data } = await h.graphql<Shown>(query, { id }, h.demo.callers.admin);
    return { ...data.me.node };
  }
});

describe('trusted addresses', () => {
  /** What a vendor's route says to a token that comes from an address. */
  async function from(h: Harness, token: string, remoteAddress: string, forwarded?: string) {
    const path = '/api/v1/auth/token-auth/tokens/nothing/revoke';
    const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded };
    const { status, body } = await h.rest('POST', path, token, { remoteAddress, headers });
    const me = await h.app.inject({
      ...{ method: 'POST', url: '/graphql', remoteAddress },
      headers: { ...headers, authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      payload: JSON.stringify({ query: '{ me { name } }' }),
    });
    const known = me.json<{ data: { me: object | null } }>().data.me !== null;
    const { error, message } = JSON.parse(body) as { error: string; message: string };
    expect([status, error]).toEqual(known ? [404, 'NotFound'] : [403, 'ForbiddenError']);
    if (!known) {
      expect(message).toBe(
        'You are not allowed to access this resource from the current IP address',
      );
    }
    return known;
  }

  const settings = { accessTokenTrustedIps: ['::ffff:10.1.0.0/112', '192.0.2.7', '2001:db8::/32'] };

  test.each([
    ['10.1.2.3', true],
    ['::ffff:10.1.2.3', true],
    ['10.2.0.1', false],
    ['192.0.2.7', true],
    ['192.0.2.8', false],
    ['2001:db8:1::1', true],
    ['2001:db9::1', false],
    ['127.0.0.1', false],
  ])('from %s: %s', async (address, known) => {
    const h = await openReaching();
    const { token } = await newToken(h, await withTokenAuth(h, settings));
    const key = await makeKey();
    const identityId = await withJwtAuth(h, key, settings);
    // Nothing is asked of where one logs in from.
    const other = await accessTokenOf(h, { identityId, jwt: await sign(key) });
    expect([await from(h, token, address), await from(h, other, address)]).toEqual([known, known]);
  });

  test('are those that a trusted proxy tells, and that nobody else tells', async () => {
    const { trustedProxies } = readConfig({ TRUSTED_PROXIES: '172.16.0.0/12' });
    const h = await openGateway({ config: { trustedProxies } });
    const { token } = await newToken(h, await withTokenAuth(h, settings));
    expect(await from(h, token, '172.16.0.9', '10.1.2.3')).toBe(true);
    expect(await from(h, token, '172.16.0.9', '10.2.0.1')).toBe(false);
    expect(await from(h, token, '172.16.0.9', '10.1.2.3, 10.2.0.1')).toBe(false);
    expect(await from(h, token, '203.0.113.1', '10.1.2.3')).toBe(false);
    expect(await from(h, token, '10.1.2.3', '10.2.0.1')).toBe(true);
  });

  test('are read live: what an update says counts for tokens that are there', async () => {
    const h = await openReaching();
    const key = await makeKey();
    const identityId = await withJwtAuth(h, key);
    const token = await accessTokenOf(h, { identityId, jwt: await sign(key) });
    expect(await from(h, token, '10.2.0.1')).toBe(true);
    expectDone(await ask(h, 'updateJwtAuth', { identityId, ...settings }));
    expect([await from(h, token, '10.2.0.1'), await from(h, token, '10.1.0.1')]).toEqual([
      false,
      true,
    ]);
    const accessTokenTrustedIps = ['0.0.0.0/0'];
    expectDone(await ask(h, 'updateJwtAuth', { identityId, accessTokenTrustedIps }));
    expect(await from(h, token, '10.2.0.1')).toBe(true);
  });
});
