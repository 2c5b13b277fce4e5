import { describe, expect, test } from 'vitest';
import { credentials } from '../src/credentials/kinds.ts';
import { assign, makeCredential, makeJwk, names, revokeKind } from './assigned.ts';
import { whoIs } from './callers.ts';
import { changesIn, hasSeq, openFollowed, placeAt, revokeKeys } from './feed-client.ts';
import type { Harness } from './harness.ts';
import {
  accessTokenOf,
  expectDone,
  ask as mutate,
  newToken,
  withJwtAuth,
  withTokenAuth,
} from './identities.ts';
import { ISSUER, makeKey, sign, trusting } from './issuers.ts';
import { makeTarget } from './kinds.ts';

/** What the feed tells of each thing that can make a verdict untrue. */

/** A gateway whose feed is followed, and what it has told once it is told all. */
async function opened(options = {}) {
  const { h, feed, ...rest } = await openFollowed({ count: 1, ...options });
  const told = async () => {
    const last = (await h.ledger()).at(-1);
    await feed.until(hasSeq(last?.seq ?? 0));
    return changesIn(feed).map(({ type, id, kind }) => ({ type, id, kind }));
  };
  return { h, feed, told, ...rest };
}

const lastOf = async (h: Harness, kind: string) =>
  (await h.rows()).findLast((row) => row.kind === kind)?.id;

test('an entry is told with its number and its time', async () => {
  const { h, feed } = await opened();
  await revokeKeys(h, 1);
  const entry = (await h.ledger()).at(-1);
  const { id, data } = await feed.until(({ event }) => event === 'change');
  expect(id).toEqual(placeAt(entry?.seq ?? 0));
  expect(data).toEqual({
    ...{ seq: entry?.seq, at: entry?.at_ms, type: 'revoked' },
    ...{ id: h.demo.apiKey[0]?.keyId, kind: 'api-key' },
  });
});

describe('a revocation is told by the id of the row that was revoked', () => {
  // Those below it are told of by their chain alone, so an ancestor is like any other.
  test.each(credentials.map(({ graph }) => graph.kind))('%s', async (kind) => {
    const { h, told } = await opened();
    const { input, rowId } = await makeTarget(h, kind, 'acme');
    await revokeKind(h, kind, input);
    expect(await told()).toEqual([{ type: 'revoked', id: rowId, kind }]);
    // Once more is refused, and changes nothing.
    await revokeKind(h, kind, input);
    expect(await told()).toHaveLength(1);
  });
});

test('the use that leaves no other is told, recorded and announced; those before are not', async () => {
  const { h, feed, told, point } = await opened();
  const identityId = await withTokenAuth(h, { accessTokenNumUsesLimit: 3 });
  const { id, token } = await newToken(h, identityId);
  const before = (await h.ledger()).length;
  expect(await whoIs(h, token)).not.toBeNull();
  expect(await whoIs(h, token)).not.toBeNull();
  expect(await h.ledger()).toHaveLength(before);
  expect(await whoIs(h, token)).not.toBeNull();
  const told1 = await feed.until(({ data }) => data.type === 'used-up');
  expect(told1.data).toMatchObject({ id, kind: 'access-token' });
  const [entry, ...more] = (await h.ledger()).slice(before);
  expect(more).toEqual([]);
  expect(entry).toMatchObject({
    ...{ action: 'use-up', kind: 'access-token', target_id: id, target: id, outcome: 'done' },
    ...{ actor: 'of a test', actor_id: id, surface: 'gateway', reason: null, refusal: null },
  });
  const owed = await h.running.database.reader.selectFrom('deliveries').selectAll().execute();
  expect(owed).toMatchObject([{ seq: entry?.seq, target_id: point.id }]);

  expect(await whoIs(h, token)).toBeNull();
  expect(await h.ledger()).toHaveLength(before + 1);
  expect((await told()).filter(({ type }) => type === 'used-up')).toHaveLength(1);
  const { data } = await h.graphql<{ me: { ledger: { edges: { node: object }[] } } }>(
    '{ me { ledger(first: 1) { edges { node { action surface } } } } }',
    {},
    h.demo.callers.admin,
  );
  expect(data.me.ledger.edges).toEqual([{ node: { action: 'USE_UP', surface: 'gateway' } }]);
});

test('many uses at once leave one entry', async () => {
  const { h, told } = await opened();
  const { id, token } = await newToken(h, await withTokenAuth(h, { accessTokenNumUsesLimit: 5 }));
  const known = await Promise.all(Array.from({ length: 20 }, () => whoIs(h, token)));
  expect(known.filter((me) => me !== null)).toHaveLength(5);
  const usedUp = (await told()).filter(({ type }) => type === 'used-up');
  expect(usedUp).toEqual([{ type: 'used-up', id, kind: 'access-token' }]);
});

test('a cut-off is told without saying of what, by mutation and by value', async () => {
  const key = await makeKey();
  const { trustedIssuers } = trusting({ keys: [key.jwk] });
  const { h, told, url } = await opened({ config: { trustedIssuers } });
  expectDone(await mutate(h, 'revokeTrustedTokens', { issuer: ISSUER, subject: 'somebody' }));
  const revoked = await fetch(`${url}/oauth/revoke`, {
    method: 'POST',
    headers: { authorization: `Bearer ${h.demo.callers.admin}` },
    body: new URLSearchParams({ token: await sign(key, { sub: 'another', jti: 'x' }) }),
  });
  expect(revoked.status).toBe(200);
  const cutOff = { type: 'cut-off', id: null, kind: 'trusted-token' };
  expect(await told()).toEqual([cutOff, cutOff]);
});

test('an auth method that changes, or is limited from its beginning, is to be asked about', async () => {
  const { h, told } = await opened();
  const key = await makeKey();
  const identityId = await withJwtAuth(h, key);
  await withTokenAuth(h);
  expect(await told()).toEqual([]);
  const jwtAuth = await lastOf(h, 'jwt-auth');
  const accessTokenTrustedIps = ['10.0.0.0/8'];
  expectDone(await mutate(h, 'updateJwtAuth', { identityId, accessTokenTrustedIps }));
  const changed = { type: 'limited', id: jwtAuth, kind: 'jwt-auth' };
  expect(await told()).toEqual([changed]);
  await withTokenAuth(h, { accessTokenTrustedIps });
  const made = { type: 'limited', id: await lastOf(h, 'token-auth'), kind: 'token-auth' };
  expect(await told()).toEqual([changed, made]);
  await accessTokenOf(h, { identityId, jwt: await sign(key) });
  expect(await told()).toHaveLength(2);
});

test('a JWK that takes the place of another is told', async () => {
  const { h, told } = await opened();
  await makeCredential(h);
  await makeJwk(h);
  await makeJwk(h, { ...names, jwkName: 'second' });
  await assign(h);
  const id = await lastOf(h, 'jwk-validation');
  await assign(h, { ...names, jwkName: 'second' });
  expect(await told()).toMatchObject([{ type: 'revoked', kind: 'jwk-validation', id }]);
});

test('what is made otherwise, and what is refused, is not told', async () => {
  const { h, told } = await opened();
  expectDone(await mutate(h, 'createIdentity', { name: 'x', permissions: [] }));
  const { identityId = '' } = h.demo.jwtAuth[0] ?? {};
  await h.rest('DELETE', `/api/v1/auth/jwt-auth/identities/${identityId}`, h.demo.callers.viewer);
  expect((await h.ledger()).at(-1)).toMatchObject({ outcome: 'refused' });
  expect(await told()).toEqual([]);
});
