import { exportSPKI } from 'jose';
import { describe, expect, test } from 'vitest';
import { accessTokenDetails, tokensOf } from '../src/credentials/access-token/details.ts';
import { callerOf, standingOf, tokenWith, whoIs } from './callers.ts';
import { type Harness, openGateway } from './harness.ts';
import {
  accessTokenOf,
  addIdentity,
  ask,
  expectDone,
  newToken,
  openReaching,
  refusedLogIn,
  withJwtAuth,
  withTokenAuth,
} from './identities.ts';
import { makeKey, sign } from './issuers.ts';

/** Auth methods over time: one at once, none that comes back, and nobody who gains by one. */

const jwks = { configurationType: 'JWKS', jwksUrl: 'https://issuer.example/' };
const already = { code: 'AUTH_METHOD_ALREADY_CONFIGURED' };

/** The last entries of the ledger: what was tried, and what came of it. */
const lastEntries = async (h: Harness, count: number) =>
  (await h.ledger()).slice(-count).map(({ action, kind, refusal }) => [action, kind, refusal]);

test.each([
  ['TokenAuth', {}],
  ['JwtAuth', jwks],
])('an identity has one %s at once, and may have the other too', async (method, given) => {
  const h = await openGateway();
  const [identityId, another] = [await addIdentity(h), await addIdentity(h)];
  const attach = (id: string) => ask(h, `attach${method}`, { identityId: id, ...given });
  const answers = await Promise.all(Array.from({ length: 10 }, () => attach(identityId)));
  const codes = answers.map(({ code = 'DONE' }) => code).toSorted();
  expect(codes).toEqual([...Array(9).fill(already.code), 'DONE']);
  expectDone(await attach(another));
  expectDone(await ask(h, 'attachTokenAuth', { identityId: await withJwt(h) }));
  const kind = method === 'JwtAuth' ? 'jwt-auth' : 'token-auth';
  const rows = (await h.rows()).filter((row) => row.parent_id === identityId);
  expect(rows.map((row) => row.kind)).toEqual([kind]);
});

async function withJwt(h: Harness) {
  const identityId = await addIdentity(h);
  expectDone(await ask(h, 'attachJwtAuth', { identityId, ...jwks }));
  return identityId;
}

test('attaching again makes a new method, and revives no token', async () => {
  const key = await makeKey();
  const h = await openReaching();
  const identityId = await withJwtAuth(h, key);
  expectDone(await ask(h, 'attachTokenAuth', { identityId }));
  const jwt = await sign(key);
  const old = [await accessTokenOf(h, { identityId, jwt }), (await newToken(h, identityId)).token];
  for (const method of ['JwtAuth', 'TokenAuth']) {
    expectDone(await ask(h, `revoke${method}`, { identityId }));
  }
  const standings = () => Promise.all(old.map((token) => standingOf(h, token)));
  expect(await standings()).toEqual(['methodRevoked', 'methodRevoked']);
  expect((await refusedLogIn(h, { identityId, jwt }))[0]).toBe(404);
  expect((await ask(h, 'createToken', { identityId, name: 'x' })).code).toBe(
    'TOKEN_AUTH_NOT_CONFIGURED',
  );
  expect((await ask(h, 'updateJwtAuth', { identityId })).code).toBe('JWT_AUTH_NOT_CONFIGURED');

  const revoked = (await h.rows()).filter((row) => row.parent_id === identityId);
  const publicKeys = [await exportSPKI(key.publicKey)];
  expectDone(
    await ask(h, 'attachJwtAuth', { identityId, configurationType: 'STATIC', publicKeys }),
  );
  expectDone(await ask(h, 'attachTokenAuth', { identityId }));
  expect(await standings()).toEqual(['methodRevoked', 'methodRevoked']);
  expect(await standingOf(h, await accessTokenOf(h, { identityId, jwt }))).toBe('good');
  expect(await standingOf(h, (await newToken(h, identityId)).token)).toBe('good');
  const methods = (await h.rows()).filter((row) => row.parent_id === identityId);
  expect(methods.slice(0, 2)).toEqual(revoked);
  expect(methods.slice(2).map((row) => row.revoked_at_ms)).toEqual([null, null]);
});

test('what an identity does not have is refused, and recorded', async () => {
  const h = await openGateway();
  const identityId = await addIdentity(h);
  const create = await ask(h, 'createToken', { identityId, name: 'x' });
  const update = await ask(h, 'updateJwtAuth', { identityId, boundSubject: 'x' });
  expect([create.code, update.code]).toEqual([
    'TOKEN_AUTH_NOT_CONFIGURED',
    'JWT_AUTH_NOT_CONFIGURED',
  ]);
  expect(await lastEntries(h, 2)).toEqual([
    ['create', 'access-token', 'TOKEN_AUTH_NOT_CONFIGURED'],
    ['update', 'jwt-auth', 'JWT_AUTH_NOT_CONFIGURED'],
  ]);
  // Found, permitted, state: the last is told to those who may know.
  const viewer = h.demo.callers.viewer;
  const denied = await ask(h, 'createToken', { identityId, name: 'x' }, viewer);
  expect(denied.code).toBe('PERMISSION_DENIED');
});

describe('nobody gets hold of an identity that may do more than they', () => {
  const mutations: [string, object, string][] = [
    ['attachTokenAuth', {}, 'identity:edit'],
    ['attachJwtAuth', jwks, 'identity:edit'],
    ['updateJwtAuth', { boundSubject: 'x' }, 'identity:edit'],
    ['createToken', { name: 'x' }, 'token:create'],
  ];

  test.each(mutations)('%s', async (mutation, given, permission) => {
    const h = await openGateway();
    const held = ['identity:edit', 'token:create', 'api-key:revoke', 'SECRETS+MANAGE@shop'];
    const caller = await tokenWith(h, held);
    const missingFor = async (permissions: string[]) => {
      const identityId = await addIdentity(h, permissions);
      const input = { identityId, ...given };
      return (await ask(h, mutation, input, caller)).missingPermissions;
    };
    expect(await missingFor(['organization:admin'])).toEqual(['organization:admin']);
    expect(await missingFor(['api-key:revoke', 'token:revoke'])).toEqual(['token:revoke']);
    expect(await missingFor(['SECRETS+MANAGE'])).toEqual(['SECRETS+MANAGE']);
    expect(await missingFor(['SECRETS+MANAGE@other'])).toEqual(['SECRETS+MANAGE@other']);
    expect(await missingFor(held)).toBeUndefined();
    expect(await missingFor([])).toBeUndefined();
    const bare = await tokenWith(h, ['api-key:revoke']);
    const identityId = await addIdentity(h, ['api-key:revoke']);
    const refused = await ask(h, mutation, { identityId, ...given }, bare);
    expect(refused.missingPermissions).toEqual([permission]);
  });
});

describe('an access token', () => {
  test('is named when it is made, and later', async () => {
    let nowMs = Date.now();
    const h = await openGateway({ now: () => nowMs });
    const { id, token } = await newToken(h, await withTokenAuth(h));
    expect(await whoIs(h, token)).toMatchObject({ name: 'of a test' });
    nowMs += 1_000;
    const renamed = await ask(h, 'renameToken', { tokenId: id, name: 'another' });
    expect(renamed.accessToken).toMatchObject({ id, name: 'another' });
    expect(await whoIs(h, token)).toMatchObject({ name: 'another' });
    const [detail] = await accessTokenDetails(h.running.database.reader, [id]);
    expect(detail?.updated_at_ms).toBe(nowMs);
    expect((await h.ledger()).at(-1)).toMatchObject({ action: 'update', target_id: id });

    expectDone(await ask(h, 'revokeToken', { tokenId: id }));
    const refused = await ask(h, 'renameToken', { tokenId: id, name: 'late' });
    expect(refused.code).toBe('ALREADY_REVOKED');
    expect((await h.row(id)).name).toBe('another');
  });

  test('of a caller keeps the name by which the ledger knows it', async () => {
    const h = await openGateway();
    const { row } = await callerOf('access-token').mint(h);
    const refused = await ask(h, 'renameToken', { tokenId: row.id, name: 'somebody else' });
    expect(refused.code).toBe('NOT_FOUND');
    expect((await h.row(row.id)).name).toBe('ada');
  });

  test('is listed with the others of its method, newest first, revoked or not', async () => {
    let nowMs = Date.now();
    const h = await openGateway({ now: () => nowMs++ });
    const identityId = await withTokenAuth(h);
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) ids.push((await newToken(h, identityId)).id);
    await newToken(h, await withTokenAuth(h));
    expectDone(await ask(h, 'renameToken', { tokenId: ids[1], name: 'x' }));
    expectDone(await ask(h, 'revokeToken', { tokenId: ids[2] }));
    const methodId = (await h.row(ids[0] ?? '')).parent_id ?? '';
    const list = async (offset: number, limit: number) => {
      const page = await tokensOf(h.running.database.reader, methodId, { offset, limit });
      expect(page.every(({ row, detail }) => detail?.id === row.id)).toBe(true);
      return page.map(({ row }) => ids.indexOf(row.id));
    };
    expect(await list(0, 20)).toEqual([4, 3, 2, 1, 0]);
    expect(await list(1, 2)).toEqual([3, 2]);
    expect(await list(5, 20)).toEqual([]);
  });
});
