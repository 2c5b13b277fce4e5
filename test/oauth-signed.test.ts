import { decodeJwt, decodeProtectedHeader, exportJWK, generateKeyPair } from 'jose';
import * as oauth from 'oauth4webapi';
import { describe, expect, test } from 'vitest';
import {
  basic,
  bearer,
  discover,
  insecure,
  post,
  type Served,
  serveGateway,
} from './oauth-clients.ts';

/** Signed answers to introspection (RFC 9701). */

const SIGNED = 'application/token-introspection+jwt';

/** Asks for a signed answer as oauth4webapi does, and lets somebody on the way change it. */
async function ask(h: Served, token: string, tamper = (jwt: string) => jwt) {
  const as = await discover(h);
  const { clientId, clientSecret } = h.demo.oauthClient;
  const client = { client_id: clientId };
  const response = await oauth.introspectionRequest(
    as,
    client,
    oauth.ClientSecretBasic(clientSecret),
    token,
    { ...insecure, requestJwtResponse: true },
  );
  const [{ headers }, jwt] = [response, tamper(await response.text())];
  const arrived = new Response(jwt, { headers });
  const said = await oauth.processIntrospectionResponse(as, client, arrived);
  await oauth.validateApplicationLevelSignature(as, arrived, insecure);
  return { said, jwt, headers };
}

test('oauth4webapi believes it, and it says what the plain one says', async () => {
  const h = await serveGateway();
  const token = h.demo.callers.viewer;
  const { said, jwt, headers } = await ask(h, token);
  const plain = await post(h, 'introspect', { token }, basic(h.demo.oauthClient));
  expect(said).toEqual(plain.body);
  expect(headers.get('content-type')).toBe(SIGNED);
  expect(headers.get('cache-control')).toBe('no-store');
  const { kid } = await h.running.gateway.signingKeys.current();
  expect(decodeProtectedHeader(jwt)).toEqual({ alg: 'EdDSA', typ: 'token-introspection+jwt', kid });
  const { iat = 0, ...claims } = decodeJwt(jwt);
  expect(Math.abs(iat - Date.now() / 1000)).toBeLessThan(5);
  expect(claims).toEqual({
    iss: h.url,
    aud: h.demo.oauthClient.clientId,
    token_introspection: plain.body,
  });
});

test('of what is not active it says only that', async () => {
  const h = await serveGateway();
  const { said, jwt } = await ask(h, h.demo.callers.outsider);
  expect(said).toEqual({ active: false });
  expect(decodeJwt(jwt).token_introspection).toEqual({ active: false });
});

test('a bearer is its audience by the credential that it presented', async () => {
  const h = await serveGateway();
  const { text } = await post(
    h,
    'introspect',
    { token: 'x' },
    {
      ...bearer(h.demo.callers.personalAccessToken),
      accept: SIGNED,
    },
  );
  const row = (await h.rows()).find(({ kind }) => kind === 'personal-access-token');
  expect(decodeJwt(text).aud).toBe(row?.id);
});

const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');

test.each<[string, (jwt: string) => string]>([
  [
    'what it says',
    (jwt) => {
      const [header, , signature] = jwt.split('.');
      const claims = decodeJwt(jwt);
      return [header, encode({ ...claims, token_introspection: { active: true } }), signature].join(
        '.',
      );
    },
  ],
  ['its signature', (jwt) => `${jwt.slice(0, -10)}AAAAAAAAAA`],
  [
    'its type',
    (jwt) => {
      const [, ...rest] = jwt.split('.');
      return [encode({ ...decodeProtectedHeader(jwt), typ: 'at+jwt' }), ...rest].join('.');
    },
  ],
])('who changes %s is found out', async (_what, tamper) => {
  const h = await serveGateway();
  await expect(ask(h, 'never-heard-of', tamper)).rejects.toThrow();
  await expect(ask(h, 'never-heard-of')).resolves.toMatchObject({ said: { active: false } });
});

describe('whether it is signed', () => {
  test.each<[string, string]>([
    ['application/json', 'application/json'],
    ['*/*', 'application/json'],
    ['', 'application/json'],
    ['application/jwt', 'application/json'],
    [SIGNED, SIGNED],
    [SIGNED.toUpperCase(), SIGNED],
    [`${SIGNED}, application/json`, SIGNED],
    [`${SIGNED};q=0.5, application/json`, 'application/json'],
    [`application/json;q=0.5, ${SIGNED}`, SIGNED],
    [`${SIGNED}; q=0.9, */*;q=0.8`, SIGNED],
    [`${SIGNED};q=0.9, application/*`, 'application/json'],
    [`${SIGNED};q=0`, 'application/json'],
    [`${SIGNED};q=x`, 'application/json'],
  ])('Accept: %s is answered with %s', async (accept, type) => {
    const h = await serveGateway();
    const headers = { ...basic(h.demo.oauthClient), accept };
    const answer = await post(h, 'introspect', { token: 'x' }, headers);
    expect(answer.headers.get('content-type')).toBe(type);
  });

  test('a no is never signed', async () => {
    const h = await serveGateway();
    const answer = await post(
      h,
      'introspect',
      {},
      {
        ...basic(h.demo.oauthClient),
        accept: SIGNED,
      },
    );
    expect([answer.status, answer.body.error]).toEqual([400, 'invalid_request']);
  });
});

describe('the keys', () => {
  const jwks = async (h: Served) => {
    const response = await fetch(`${h.url}/.well-known/jwks.json`);
    expect(response.headers.get('content-type')).toBe('application/jwk-set+json');
    return ((await response.json()) as { keys: Record<string, unknown>[] }).keys;
  };

  test('are public halves, for signatures alone', async () => {
    const h = await serveGateway();
    const { kid, publicJwk } = await h.running.gateway.signingKeys.current();
    expect(await jwks(h)).toEqual([
      { kty: 'OKP', crv: 'Ed25519', x: publicJwk.x, kid, alg: 'EdDSA', use: 'sig' },
    ]);
  });

  test('are all that are not retired, the newest first', async () => {
    const h = await serveGateway();
    const { publicKey } = await generateKeyPair('EdDSA');
    const jwk = await exportJWK(publicKey);
    const kept = { private_jwe: '', public_jwk: '' };
    await h.running.gateway.writes.run(async (tx) => {
      for (const [kid, created_at_ms, retired_at_ms] of [
        ['older', 1, null],
        ['retired', 2, 3],
      ] as const) {
        const public_jwk = JSON.stringify({ ...jwk, kid });
        const row = { ...kept, kid, created_at_ms, retired_at_ms, public_jwk };
        await tx.insertInto('signing_keys').values(row).execute();
      }
    });
    const kids = (await jwks(h)).map(({ kid }) => kid);
    const { kid } = await h.running.gateway.signingKeys.current();
    expect(kids).toEqual([kid, 'older']);
  });
});
