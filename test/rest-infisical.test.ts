import { expect, test } from 'vitest';
import { type Harness, openGateway } from './harness.ts';
import { type Key, makeKey, sign } from './issuers.ts';
import { isGood, said, send } from './siblings.ts';

/** Infisical's paths by which tokens are made, listed and got for a JWT. */

const LOGIN = '/api/v1/auth/jwt-auth/login';

/** An identity with JWT Auth by a static key, made as an operator makes one. */
async function identityWithJwtAuth(h: Harness): Promise<{ identityId: string; key: Key }> {
  const key = await makeKey();
  const pem = Buffer.from(await crypto.subtle.exportKey('spki', key.publicKey)).toString('base64');
  const { data } = await h.graphql<{ made: { identity: { id: string } } }>(
    'mutation { made: createIdentity(input: { name: "ci" }) { ... on CreateIdentitySuccess { identity { id } } } }',
    {},
    h.demo.callers.admin,
  );
  const identityId = data.made.identity.id;
  const attached = await h.graphql<{ made: object }>(
    `mutation ($input: AttachJwtAuthInput!) { made: attachJwtAuth(input: $input) { __typename } }`,
    {
      input: {
        identityId,
        configurationType: 'STATIC',
        publicKeys: [`-----BEGIN PUBLIC KEY-----\n${pem}\n-----END PUBLIC KEY-----`],
      },
    },
    h.demo.callers.admin,
  );
  expect(attached.data.made).toEqual({ __typename: 'AttachJwtAuthSuccess' });
  return { identityId, key };
}

test('a JWT is exchanged for an access token, until JWT Auth is removed', async () => {
  const h = await openGateway();
  const { identityId, key } = await identityWithJwtAuth(h);
  const jwt = await sign(key);
  const answer = said(await send(h, 'POST', LOGIN, undefined, { identityId, jwt }));
  expect(answer).toEqual({
    status: 200,
    type: 'application/json; charset=utf-8',
    body: {
      accessToken: expect.stringMatching(/^eyJ/),
      expiresIn: 2_592_000,
      accessTokenMaxTTL: 2_592_000,
      tokenType: 'Bearer',
    },
  });
  const token = String(answer.body.accessToken);
  expect(await isGood(h, token)).toBe(true);
  await h.rest('DELETE', `/api/v1/auth/jwt-auth/identities/${identityId}`, h.demo.callers.admin);
  expect(await isGood(h, token)).toBe(false);
  expect(said(await send(h, 'POST', LOGIN, undefined, { identityId, jwt }))).toMatchObject({
    status: 404,
    body: {
      message: 'JWT auth method not found for identity, did you configure JWT auth?',
      error: 'NotFound',
    },
  });
});

test.each([
  ['no JWT', { identityId: 'x' }, 422, 'ValidationFailure'],
  ['no JSON', '{bad', 422, 'ValidationFailure'],
  ['an unknown identity', { identityId: 'x', jwt: 'a.b.c' }, 404, 'NotFound'],
])('a login with %s', async (_what, body, status, error) => {
  const h = await openGateway();
  const answer = said(await send(h, 'POST', LOGIN, undefined, body));
  expect(answer).toMatchObject({ status, body: { statusCode: status, error } });
  expect(await h.ledger()).toEqual([]);
});

test('tokens of Token Auth are made and listed', async () => {
  const h = await openGateway();
  const { admin, viewer, outsider } = h.demo.callers;
  const { tokenId = '' } = h.demo.accessToken[0] ?? {};
  const method = await h.row((await h.row(tokenId)).parent_id ?? '');
  const path = `/api/v1/auth/token-auth/identities/${method.parent_id}/tokens`;
  const made = said(await send(h, 'POST', path, admin, { name: 'nightly' }));
  expect(Object.keys(made.body)).toEqual([
    ...['accessToken', 'expiresIn', 'accessTokenMaxTTL', 'tokenType', 'tokenData'],
  ]);
  expect(made.body).toMatchObject({
    expiresIn: 86_400,
    tokenType: 'Bearer',
    tokenData: { name: 'nightly', isAccessTokenRevoked: false, identityId: method.parent_id },
  });
  expect(await isGood(h, String(made.body.accessToken))).toBe(true);

  const list = async (query = '') => said(await send(h, 'GET', path + query, viewer)).body.tokens;
  expect(await list()).toMatchObject([made.body.tokenData, { id: tokenId, name: null }]);
  expect(await list('?limit=1&offset=1')).toMatchObject([{ id: tokenId }]);
  await h.rest('POST', `/api/v1/auth/token-auth/tokens/${tokenId}/revoke`, admin);
  expect(await list()).toMatchObject([{}, { id: tokenId, isAccessTokenRevoked: true }]);

  const status = async (method_: string, at: string, token?: string) =>
    (await send(h, method_, at, token, method_ === 'POST' ? {} : undefined)).status;
  for (const method_ of ['POST', 'GET']) {
    expect(await status(method_, path)).toBe(401);
    expect(await status(method_, path, outsider)).toBe(404);
    const { identityId = '' } = h.demo.jwtAuth[0] ?? {};
    expect(await status(method_, path.replace(method.parent_id ?? '', identityId), admin)).toBe(
      400,
    );
  }
  expect(await status('POST', path, viewer)).toBe(403);
  expect(await status('GET', `${path}?limit=101`, admin)).toBe(422);
});
