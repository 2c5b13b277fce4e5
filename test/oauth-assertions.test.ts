import { exportJWK, exportSPKI } from 'jose';
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import { describe, expect, test } from 'vitest';
import { change } from './callers.ts';
import { ecdsa, forge, hmac, type Key, makeKey, sign } from './issuers.ts';
import {
  clientWithKeys,
  discover,
  insecure,
  introspected,
  post,
  type Served,
  serveGateway,
} from './oauth-clients.ts';

/** Clients that sign assertions (`private_key_jwt`): each is believed once, and only if all fits. */

const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const nowS = () => Math.floor(Date.now() / 1000);

interface World {
  readonly h: Served;
  readonly key: Key;
  readonly clientId: string;
}

async function open(alg = 'ES256'): Promise<World> {
  const h = await serveGateway();
  const key = await makeKey('the-key', alg);
  return { h, key, clientId: await clientWithKeys(h, key.jwk) };
}

/** What a good assertion says; a claim that is undefined is left out. */
const claimsOf = ({ h, clientId }: World, changed: object = {}): Record<string, unknown> => ({
  ...{ iss: clientId, sub: clientId, aud: h.url, jti: crypto.randomUUID() },
  ...{ iat: nowS(), exp: nowS() + 60, organization: undefined, permissions: undefined },
  ...changed,
});

const assertion = (world: World, changed: object = {}, header: object = {}, key = world.key) =>
  sign(key, claimsOf(world, changed), header);

async function present(
  { h }: World,
  client_assertion: string,
  more: Record<string, string> = {},
  endpoint = 'token',
) {
  const form = { grant_type: 'client_credentials', token: 'x', client_assertion };
  const { status, body } = await post(h, endpoint, {
    ...form,
    client_assertion_type: type,
    ...more,
  });
  return [status, body.error];
}

const accepted = [200, undefined];
const refused = [401, 'invalid_client'];

test.each(['ES256', 'ES384', 'EdDSA', 'RS256', 'PS256'])(
  'a client with a key for %s gets a token, asks and revokes, as oauth4webapi has it',
  async (alg) => {
    const { h, key, clientId } = await open(alg);
    const as = await discover(h);
    const client = { client_id: clientId };
    const auth = oauth.PrivateKeyJwt(key.privateKey);
    const grant = await oauth.clientCredentialsGrantRequest(as, client, auth, {}, insecure);
    const { access_token } = await oauth.processClientCredentialsResponse(as, client, grant);
    const ask = async () => {
      const said = await oauth.introspectionRequest(as, client, auth, access_token, insecure);
      return await oauth.processIntrospectionResponse(as, client, said);
    };
    expect(await ask()).toMatchObject({ active: true, client_id: clientId, sub: clientId });
    const done = await oauth.revocationRequest(as, client, auth, access_token, insecure);
    await oauth.processRevocationResponse(done);
    expect(await ask()).toEqual({ active: false });
  },
);

test('openid-client authenticates so too', async () => {
  const { h, key, clientId } = await open();
  const auth = openid.PrivateKeyJwt({ key: key.privateKey, kid: key.kid });
  const config = await openid.discovery(new URL(h.url), clientId, {}, auth, {
    algorithm: 'oauth2',
    execute: [openid.allowInsecureRequests],
  });
  const { access_token } = await openid.clientCredentialsGrant(config);
  expect(await introspected(h, access_token)).toMatchObject({ active: true, sub: clientId });
});

test.each<[string, (world: World) => [claims: object, header?: object]]>([
  ['the issuer as audience', ({ h }) => [{ aud: h.url }]],
  ['the token endpoint as audience', ({ h }) => [{ aud: `${h.url}/oauth/token` }]],
  ['the endpoint that is asked as audience', ({ h }) => [{ aud: `${h.url}/oauth/introspect` }]],
  ['one audience in a list', ({ h }) => [{ aud: [h.url] }]],
  ['no iat', () => [{ iat: undefined }]],
  ['the latest expiry', () => [{ exp: nowS() + 600 }]],
  ['no kid', () => [{}, { kid: undefined }]],
  ['the type of RFC 7523bis', () => [{}, { typ: 'client-authentication+jwt' }]],
  ['the type JWT', () => [{}, { typ: 'JWT' }]],
])('an assertion with %s is believed', async (_what, given) => {
  const world = await open();
  const text = await assertion(world, ...given(world));
  expect(await present(world, text, {}, 'introspect')).toEqual(accepted);
});

test.each<[string, (world: World) => [claims: object, header?: object]]>([
  ['another issuer', () => [{ iss: 'somebody' }]],
  ['another subject', ({ h }) => [{ sub: h.demo.oauthClient.clientId }]],
  [
    'another client',
    ({ h: { demo } }) => {
      const { clientId } = demo.oauthClient;
      return [{ iss: clientId, sub: clientId }];
    },
  ],
  ['neither issuer nor subject', () => [{ iss: undefined, sub: undefined }]],
  ['a number for both', () => [{ iss: 5, sub: 5 }]],
  ['an object for both', () => [{ iss: {}, sub: {} }]],
  ['a NUL in both', () => [{ iss: 'a\0', sub: 'a\0' }]],
  ['another audience', () => [{ aud: 'https://elsewhere.example' }]],
  ['an audience that begins alike', ({ h }) => [{ aud: `${h.url}.elsewhere.example` }]],
  ['another endpoint as audience', ({ h }) => [{ aud: `${h.url}/oauth/introspect` }]],
  ['a second audience', ({ h }) => [{ aud: [h.url, 'https://elsewhere.example'] }]],
  ['no audience', () => [{ aud: undefined }]],
  ['an expiry that is past', () => [{ exp: nowS() - 10 }]],
  ['an expiry too far ahead', () => [{ exp: nowS() + 620 }]],
  ['an endless expiry', () => [{ exp: 1e308 }]],
  ['a text as expiry', () => [{ exp: String(nowS() + 60) }]],
  ['no expiry', () => [{ exp: undefined }]],
  ['a beginning ahead', () => [{ nbf: nowS() + 60 }]],
  ['a time of issue ahead', () => [{ iat: nowS() + 60 }]],
  ['no jti', () => [{ jti: undefined }]],
  ['an empty jti', () => [{ jti: '' }]],
  ['a number as jti', () => [{ jti: 1 }]],
  ['another kid', () => [{}, { kid: 'another' }]],
  ['the type of an access token', () => [{}, { typ: 'at+jwt' }]],
])('an assertion with %s is not believed', async (_what, given) => {
  const world = await open();
  expect(await present(world, await assertion(world, ...given(world)))).toEqual(refused);
  const left = await world.h.running.database.reader
    .selectFrom('client_assertions')
    .selectAll()
    .execute();
  expect(left).toEqual([]);
});

describe('signatures', () => {
  test.each<[string, (world: World) => Promise<string>]>([
    ['of another key', async (world) => assertion(world, {}, {}, await makeKey(world.key.kid))],
    ['of none', async (world) => forge({ alg: 'none' }, claimsOf(world), () => Buffer.alloc(0))],
    [
      'by HS256 with the public key as PEM',
      async (world) =>
        forge({ alg: 'HS256' }, claimsOf(world), hmac(await exportSPKI(world.key.publicKey))),
    ],
    [
      'by HS256 with the public key as JWK',
      async (world) =>
        forge(
          { alg: 'HS256' },
          claimsOf(world),
          hmac(JSON.stringify(await exportJWK(world.key.publicKey))),
        ),
    ],
    [
      'of a key that the header brings along',
      async (world) => {
        const key = await makeKey(world.key.kid);
        return assertion(world, {}, { jwk: key.jwk }, key);
      },
    ],
    [
      'under another algorithm',
      async (world) => forge({ alg: 'ES384' }, claimsOf(world), await ecdsa(world.key)),
    ],
    [
      'under the algorithm of another type',
      async (world) => forge({ alg: 'RS256' }, claimsOf(world), await ecdsa(world.key)),
    ],
    [
      'under an extension that nobody knows',
      async (world) =>
        forge({ alg: 'ES256', crit: ['x'], x: 1 }, claimsOf(world), await ecdsa(world.key)),
    ],
    ['cut off', async (world) => (await assertion(world)).slice(0, -4)],
    ['of a text that is no JWT', async () => 'a.b.c'],
  ])('%s are not believed', async (_what, forged) => {
    const world = await open();
    expect(await present(world, await forged(world))).toEqual(refused);
  });

  test('of each key of a client are believed, of a key that names another algorithm none', async () => {
    const h = await serveGateway();
    const keys = await Promise.all(['a', 'b'].map((kid) => makeKey(kid)));
    const clientId = await clientWithKeys(h, ...keys.map(({ jwk }) => jwk));
    for (const key of keys) {
      const world = { h, key, clientId };
      expect(await present(world, await assertion(world))).toEqual(accepted);
      expect(await present(world, await assertion(world, {}, { kid: undefined }))).toEqual(
        accepted,
      );
    }
    const key = await makeKey('c', 'RS256');
    const world = { h, key, clientId: await clientWithKeys(h, { ...key.jwk, alg: 'RS512' }) };
    expect(await present(world, await assertion(world))).toEqual(refused);
  });
});

test('the type of the assertion is said, and a client_id fits it', async () => {
  const world = await open();
  const withType = (client_assertion_type: string) => async () =>
    present(world, await assertion(world), { client_assertion_type });
  expect(await withType('urn:example:saml')()).toEqual(refused);
  expect(await withType('')()).toEqual(refused);
  expect(await present(world, '')).toEqual(refused);
  const { clientId } = world.h.demo.oauthClient;
  expect(await present(world, await assertion(world), { client_id: clientId })).toEqual(refused);
  const own = { client_id: world.clientId };
  expect(await present(world, await assertion(world), own)).toEqual(accepted);
});

test('a client without keys is not known by an assertion', async () => {
  const world = await open();
  const { clientId } = world.h.demo.oauthClient;
  const claims = { iss: clientId, sub: clientId };
  expect(await present(world, await assertion(world, claims))).toEqual(refused);
});

test('a revoked client is not known by its key', async () => {
  const world = await open();
  await change(world.h, world.clientId, { revoked_at_ms: 1 });
  expect(await present(world, await assertion(world))).toEqual(refused);
});
