import { describe, expect, test } from 'vitest';
import { openGateway } from './harness.ts';
import { said, send } from './siblings.ts';

/** The siblings of the five paths: what a vendor's client makes and lists, in its own words. */

describe('tokens of a service account', () => {
  const path = '/service-accounts/service-account-001/tokens';

  test('are made, listed a page at a time, used and revoked', async () => {
    const h = await openGateway();
    const expiresAt = '2099-01-01T00:00:00.000Z';
    const made = said(
      await send(h, 'POST', path, h.demo.callers.admin, {
        name: 'Nightly Build',
        scopes: ['write:tokens', 'read:projects'],
        expiresAt,
      }),
    );
    expect(made).toEqual({
      status: 201,
      type: 'application/json',
      body: {
        id: expect.any(String),
        name: 'Nightly Build',
        slug: 'nightly-build',
        scopes: ['write:tokens', 'read:projects'],
        serviceAccountId: expect.any(String),
        expiresAt,
        createdAt: expect.any(String),
        createdBy: 'admin',
        token: expect.stringMatching(/^ksh_[\w-]{43}$/),
      },
    });
    const { token, ...listed } = made.body;
    // It carries the scope, so it may make one itself, and list.
    const second = await send(h, 'POST', path, String(token), { name: 'two', scopes: [] });
    expect(second.status).toBe(201);
    const page = said(await send(h, 'GET', `${path}?limit=2`, String(token))).body;
    expect(page).toEqual({
      tokens: [expect.objectContaining({ slug: 'two', createdBy: 'Nightly Build' }), listed],
      nextCursor: listed.id,
    });
    const rest = said(await send(h, 'GET', `${path}?cursor=${page.nextCursor}`, String(token)));
    expect(rest.body).toEqual({ tokens: [expect.objectContaining({ slug: 'token-001' })] });

    await h.rest('DELETE', `${path}/nightly-build`, h.demo.callers.admin);
    expect((await send(h, 'GET', path, String(token))).status).toBe(401);
    const after = said(await send(h, 'GET', path, h.demo.callers.admin)).body;
    expect(after.tokens).toContainEqual({
      ...listed,
      revokedAt: expect.any(String),
      revokedBy: 'admin',
    });
  });

  test.each([
    ['no name', { scopes: [] }, 422, 'Request.Invalid'],
    ['no scopes', { name: 'ab' }, 422, 'Request.Invalid'],
    ['scopes that are none', { name: 'ab', scopes: ['all'] }, 400, 'Token.InvalidScopes'],
    ['a bad slug', { name: 'ab', slug: 'A_B', scopes: [] }, 400, 'CreateToken.InvalidSlug'],
    ['a name without a slug', { name: '日本', scopes: [] }, 400, 'CreateToken.InvalidSlug'],
    ['a slug that is taken', { name: 'Token 001', scopes: [] }, 409, 'CreateToken.SlugConflict'],
    [
      'a past end',
      { name: 'ab', scopes: [], expiresAt: '2020-01-01T00:00:00Z' },
      422,
      'Request.Invalid',
    ],
    ['no JSON', '{bad', 422, 'Request.Invalid'],
  ])('%s in a body', async (_what, body, status, code) => {
    const h = await openGateway();
    const before = await h.rows();
    const answer = said(await send(h, 'POST', path, h.demo.callers.admin, body));
    expect(answer).toMatchObject({
      status,
      type: 'application/problem+json',
      body: { status, code, instance: path, type: expect.stringMatching(/^https:/) },
    });
    expect(await h.rows()).toEqual(before);
  });

  test('nobody gives a scope that they lack', async () => {
    const h = await openGateway();
    const make = (token: string, scopes: string[]) =>
      send(h, 'POST', path, token, { name: 'more', scopes });
    const mayMake = said(await make(h.demo.callers.admin, ['write:tokens'])).body;
    const { data } = await h.graphql<{ made: { secret: string } }>(
      `mutation { made: createPersonalAccessToken(input: {
        name: "maker", permissions: ["service-account-token:create"] }) {
        ... on CreatePersonalAccessTokenSuccess { secret } } }`,
      {},
      h.demo.callers.admin,
    );
    const { secret } = data.made;
    expect(String(mayMake.token)).toMatch(/^ksh_/);
    expect((await send(h, 'POST', path, secret, { name: 'less', scopes: [] })).status).toBe(201);
    const denied = said(await send(h, 'POST', path, secret, { name: 'm', scopes: ['write:*'] }));
    expect(denied.status).toBe(400);
    const refused = said(await send(h, 'POST', path, secret, { name: 'mm', scopes: ['write:*'] }));
    expect(refused).toMatchObject({ status: 403, body: { code: 'Auth.MissingScope' } });
  });

  test('a scope is given by whoever has it, and by nobody else', async () => {
    const h = await openGateway();
    const path = `/service-accounts/${h.demo.serviceAccountToken[0]?.serviceAccountSlug}/tokens`;
    const give = async (token: string, name: string, scopes: string[]) => {
      const { status, body } = said(await send(h, 'POST', path, token, { name, scopes }));
      return status === 201 ? String(body.token) : status;
    };
    const some = await give(h.demo.callers.admin, 'some', ['write:tokens', 'write:billing']);
    const all = await give(h.demo.callers.admin, 'all', ['write:*']);
    expect(await give(String(some), 'a1', ['read:billing', 'write:billing'])).toMatch(/^ksh_/);
    expect(await give(String(some), 'a2', ['write:environments'])).toBe(403);
    expect(await give(String(some), 'a3', ['write:*'])).toBe(403);
    expect(await give(String(some), 'a4', ['read:*'])).toBe(403);
    expect(await give(String(all), 'a5', ['write:environments', 'read:*'])).toMatch(/^ksh_/);
    const many = Array.from({ length: 101 }, (_, i) => `read:${'x'.repeat(i % 99)}y`);
    expect(await give(String(all), 'a6', many)).toBe(400);
    expect(await give(String(all), 'a7', ['read:a', 'read:a'])).toBe(400);
  });

  test.each([
    ['an unknown account', '/service-accounts/nobody/tokens', 'admin', 404],
    ['an account of another organization', path, 'outsider', 404],
    ['a caller without the right', path, 'viewer', 403],
    ['a caller that has expired', path, 'expired', 401],
  ] as const)('%s is answered alike for making and listing', async (_what, at, caller, status) => {
    const h = await openGateway();
    const token = h.demo.callers[caller];
    const body = { name: 'ab', scopes: [] };
    expect((await send(h, 'POST', at, token, body)).status).toBe(status);
    expect((await send(h, 'GET', at, token)).status).toBe(status);
  });

  test.each(['limit=0', 'limit=201', 'limit=x', 'cursor=x'])(
    'a page of %s is refused',
    async (q) => {
      const h = await openGateway();
      const answer = said(await send(h, 'GET', `${path}?${q}`, h.demo.callers.admin));
      const [name] = q.split('=');
      expect(answer).toMatchObject({
        status: 422,
        body: { errors: [{ location: `query.${name}` }] },
      });
    },
  );
});
