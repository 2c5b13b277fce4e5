import { describe, expect, test } from 'vitest';
import { Refusal, Unauthenticated } from '../src/refusals.ts';
import {
  actorOf,
  ancestor,
  askEveryRoute,
  callerOf,
  callers,
  change,
  credentialOf,
  revokeKey,
  standingOf,
  whoIs,
} from './callers.ts';
import { FIXED_NOW_MS, openGateway } from './harness.ts';
import { mutationOf, restPath } from './kinds.ts';

/** Callers with credentials that this gateway minted: known while those are good, and no longer. */

const revokedNow = () => ({ revoked_at_ms: Date.now(), revoked_by: 'somebody' });

describe.each(callers)('$name', (caller) => {
  const { kind, permissions } = caller;

  test('is known on every surface until it is revoked, and on none after', async () => {
    const h = await openGateway();
    const { token, input } = await caller.mint(h);
    expect(await whoIs(h, token)).toEqual({ name: 'ada', organization: 'acme', permissions });
    const known = await askEveryRoute(h, token);
    expect(known.map(({ status }) => status)).not.toContain(401);

    const { admin } = h.demo.callers;
    const done = await h.graphql(mutationOf(credentialOf(kind)), { input }, admin);
    expect(done.data).toMatchObject({ result: { revocation: { actor: 'admin' } } });

    expect(await whoIs(h, token)).toBeNull();
    const entries = await h.ledger();
    for (const { status, headers, body } of await askEveryRoute(h, token)) {
      expect([status, headers['www-authenticate']]).toEqual([401, 'Bearer']);
      expect(body).not.toContain(token);
    }
    expect(await h.ledger()).toEqual(entries);
  });

  test('revokes itself through GraphQL, and is refused at once', async () => {
    const h = await openGateway();
    const { token, row, input } = await caller.mint(h);
    const mutation = mutationOf(credentialOf(kind));
    const first = await h.graphql(mutation, { input }, token);
    expect(first.data).toMatchObject({ result: { revocation: { actor: 'ada' } } });
    const second = await h.graphql(mutation, { input }, token);
    expect(second.data).toMatchObject({ result: { code: 'UNAUTHENTICATED' } });

    expect(await h.row(row.id)).toMatchObject({ revoked_by: 'ada' });
    const entries = (await h.ledger()).map((entry) => [entry.outcome, entry.actor_id]);
    expect(entries).toEqual([['done', row.id]]);
  });

  test.each(caller.ancestors)('is refused once its %s is revoked', async (above) => {
    const h = await openGateway();
    const { token, row } = await caller.mint(h);
    expect(await standingOf(h, token)).toBe('good');
    await change(h, (await ancestor(h, row, above)).id, revokedNow());
    expect(await standingOf(h, token)).toBe(
      above.endsWith('-auth') ? 'methodRevoked' : 'ownerRevoked',
    );
    expect(await whoIs(h, token)).toBeNull();
    expect((await h.row(row.id)).revoked_at_ms).toBeNull();
  });

  test.each(caller.ancestors)('is refused once its %s has expired', async (above) => {
    const h = await openGateway();
    const { token, row } = await caller.mint(h);
    expect(await standingOf(h, token)).toBe('good');
    await change(h, (await ancestor(h, row, above)).id, { expires_at_ms: Date.now() });
    expect(await standingOf(h, token)).toBe('expired');
    expect(await whoIs(h, token)).toBeNull();
  });

  test('is good until the millisecond in which it expires', async () => {
    let nowMs = FIXED_NOW_MS;
    const h = await openGateway({ now: () => nowMs });
    const { token } = await caller.mint(h, { expires_at_ms: FIXED_NOW_MS + 1000 });
    nowMs = FIXED_NOW_MS + 999;
    expect(await standingOf(h, token)).toBe('good');
    nowMs = FIXED_NOW_MS + 1000;
    expect(await standingOf(h, token)).toBe('expired');
    expect(await whoIs(h, token)).toBeNull();
  });

  test('revoked after it was known does nothing any more', async () => {
    const h = await openGateway();
    const { token, row } = await caller.mint(h);
    const actor = { ...(await actorOf(h, token)), permissions: ['organization:admin'] };
    expect(await revokeKey(h, actor, 0)).toHaveProperty('done');

    await change(h, row.id, revokedNow());
    const [rows, entries] = [await h.rows(), await h.ledger()];
    const performed = await revokeKey(h, actor, 1);
    expect(performed).toEqual({ refused: new Unauthenticated('revoked') });
    expect(await h.rows()).toEqual(rows);
    expect(await h.ledger()).toEqual(entries);
  });
});

describe.each(callers.filter(({ kind }) => credentialOf(kind).rest))('$name', (caller) => {
  test('revokes itself through REST, and is refused at once', async () => {
    const h = await openGateway();
    const { token, row, input } = await caller.mint(h);
    const credential = credentialOf(caller.kind);
    const ask = () => h.rest(credential.rest?.method ?? '', restPath(credential, input), token);
    const [first, second] = [await ask(), await ask()];
    expect(first.headers['revocation-id']).toBe((await h.row(row.id)).revocation_id);
    expect(second.status).toBe(401);
    expect(second.headers['revocation-id']).toBeUndefined();
    expect((await h.ledger()).map(({ outcome }) => outcome)).toEqual(['done']);
  });
});

test('a caller that revokes itself has the rest of the same request refused', async () => {
  const h = await openGateway();
  const { token, row } = await callerOf('access-token').mint(h);
  const { tokenId = '' } = h.demo.accessToken[0] ?? {};
  const { data } = await h.graphql(
    `mutation ($self: ID!, $other: ID!) {
      first: revokeToken(input: { tokenId: $self }) { __typename }
      second: revokeToken(input: { tokenId: $other }) { __typename }
    }`,
    { self: row.id, other: tokenId },
    token,
  );
  expect(data).toEqual({
    first: { __typename: 'RevokeTokenSuccess' },
    second: { __typename: 'UnauthenticatedError' },
  });
  expect((await h.row(tokenId)).revoked_at_ms).toBeNull();
  expect(await h.ledger()).toHaveLength(1);
});

test('a caller that is revoked in the same commit does nothing after it', async () => {
  const h = await openGateway();
  const { token, row } = await callerOf('personal-access-token').mint(h);
  const actor = { ...(await actorOf(h, token)), permissions: ['organization:admin'] };
  const [before, , after] = await Promise.all([
    revokeKey(h, actor, 0),
    change(h, row.id, revokedNow()),
    revokeKey(h, actor, 1),
  ]);
  expect(before).toHaveProperty('done');
  expect(after).toEqual({ refused: new Unauthenticated('revoked') });
  expect((await h.ledger()).map(({ seq, outcome }) => [seq, outcome])).toEqual([[1, 'done']]);
});

test('write:tokens lets a service account token revoke those tokens and nothing else', async () => {
  const h = await openGateway();
  const { token } = await callerOf('service-account-token').mint(h);
  const statuses = (await askEveryRoute(h, token)).map(({ status }) => status);
  expect(statuses).toEqual([404, 404, 404, 404, 404]);

  const { serviceAccountSlug = '', tokenSlug = '' } = h.demo.serviceAccountToken[0] ?? {};
  const path = `/service-accounts/${serviceAccountSlug}/tokens/${tokenSlug}`;
  expect((await h.rest('DELETE', path, h.demo.serviceAccountToken[1]?.token)).status).toBe(403);
  expect((await h.rest('DELETE', path, token)).status).toBe(204);

  const { tokenId } = h.demo.accessToken[0] ?? {};
  const other = await h.rest('POST', `/api/v1/auth/token-auth/tokens/${tokenId}/revoke`, token);
  expect(other.status).toBe(403);
});

test.each([
  ['no header', undefined, 'missing'],
  ['another scheme', 'Basic YWRhOnNlY3JldA==', 'scheme'],
  ['the bare token', 'TOKEN', 'scheme'],
  ['no token', 'Bearer', 'empty'],
  ['blanks for a token', 'Bearer   ', 'empty'],
  ['two tokens', 'Bearer TOKEN TOKEN', 'malformed'],
  ['part of the token', 'Bearer rgw_pat_', 'unknown'],
  ['the scheme in small letters', 'bearer TOKEN', 'good'],
  ['the token', 'Bearer TOKEN', 'good'],
])('a request with %s is told so', async (_what, header, standing) => {
  const h = await openGateway();
  const given = header?.replaceAll('TOKEN', h.demo.callers.personalAccessToken);
  const known = await h.running.gateway.authenticate(given, undefined);
  expect(known instanceof Refusal ? known.reason : 'good').toBe(standing);
});
