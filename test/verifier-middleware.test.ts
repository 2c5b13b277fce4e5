import { describe, expect, test } from 'vitest';
import { apis } from './apis.ts';
import { caughtUp, follow, followThrough, mutate, reached, until } from './enforcement.ts';
import { newToken, withTokenAuth } from './identities.ts';
import { serveGateway } from './oauth-clients.ts';

/** The middleware of each framework, in an API of that framework, over HTTP. */

async function get(url: string, headers: Record<string, string> = {}) {
  const response = await fetch(url, { headers });
  const text = await response.text();
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    challenge: response.headers.get('www-authenticate'),
    retryAfter: response.headers.get('retry-after'),
    cache: response.headers.get('cache-control'),
    body: JSON.parse(text) as Record<string, unknown>,
  };
}

const bearer = (token = '') => ({ authorization: `Bearer ${token}` });

const problem = { type: 'application/problem+json', cache: 'no-store' };
const refusal = (reason: string, detail: string) => ({
  ...{ ...problem, status: 401, challenge: 'Bearer error="invalid_token"', retryAfter: null },
  body: { type: 'about:blank', title: 'Unauthorized', status: 401, detail, reason },
});

describe.each(Object.entries(apis))('%s', (_framework, listen) => {
  test('lets in what is good, says what it is, and refuses it once it is revoked', async () => {
    const h = await serveGateway();
    const verifier = await follow(reached(h));
    const api = await listen(verifier);
    const [key] = h.demo.apiKey;
    const { applicationId, keyId } = key ?? {};
    for (const scheme of ['Bearer', 'bearer', 'BEARER ']) {
      const answer = await get(api, { authorization: `${scheme} ${key?.key}` });
      expect(answer).toMatchObject({ status: 200, challenge: null });
      expect(answer.body).toMatchObject({
        ...{ ok: true, stale: false, kind: 'api-key', organization: 'acme' },
        ...{ jti: keyId, sub: applicationId, permissions: [] },
      });
    }
    await mutate(reached(h), 'revokeApiKey', { applicationId, keyId });
    await caughtUp(verifier, h);
    const answer = await get(api, bearer(key?.key));
    expect(answer).toEqual(refusal('revoked', 'The credential has been revoked.'));
  });

  test('refuses what is no credential', async () => {
    const h = await serveGateway();
    const api = await listen(await follow(reached(h)));
    const invalid = refusal('invalid', 'The credential is not good.');
    expect(await get(api, bearer('rgw_key_of-nobody'))).toEqual(invalid);
    expect(await get(api, bearer(`${h.demo.callers.viewer}x`))).toEqual(invalid);
    expect(await get(api, bearer(h.demo.callers.expired))).toEqual(
      refusal('expired', 'The credential has expired.'),
    );
    const missing = {
      ...refusal('missing', 'The request carries no credential.'),
      challenge: 'Bearer',
    };
    expect(await get(api)).toEqual(missing);
    const { key = '' } = h.demo.apiKey[0] ?? {};
    const others = [`Basic ${btoa(`a:${key}`)}`, 'Bearer', 'Bearer ', key, `Bearer ${key} ${key}`];
    for (const authorization of others) expect(await get(api, { authorization })).toEqual(missing);
    expect(await get(`${api}?access_token=${key}`)).toEqual(missing);
    expect(await get(api, { 'x-api-key': key })).toEqual(missing);
  });

  test('reads another header instead, and lets in some kinds alone, where it is told to', async () => {
    const h = await serveGateway();
    const api = await listen(await follow(reached(h)));
    const { key = '' } = h.demo.apiKey[0] ?? {};
    const at = `${api}/key`;
    expect((await get(at, { 'x-api-key': key })).status).toBe(200);
    expect((await get(at, bearer(key))).body.reason).toBe('missing');
    // Good, but of another kind.
    const { token = '' } = h.demo.serviceAccountToken[0] ?? {};
    expect((await get(api, bearer(token))).status).toBe(200);
    for (const value of [`Bearer ${key}`, `${key}, ${key}`, token]) {
      expect((await get(at, { 'x-api-key': value })).body.reason).toBe('invalid');
    }
  });

  test('asks for permissions', async () => {
    const h = await serveGateway();
    const api = await listen(await follow(reached(h)));
    const make = async (permissions: readonly string[]) =>
      (
        await mutate<{ secret: string }>(
          reached(h),
          'createPersonalAccessToken',
          { name: 'of a test', permissions },
          'secret',
        )
      ).secret;
    const allowed = await make(['identity:read', 'ledger:read']);
    expect((await get(`${api}/ledger`, bearer(allowed))).status).toBe(200);
    // Names are held against each other as they are.
    for (const permissions of [['ledger:read@shop'], ['identity:read']]) {
      expect(await get(`${api}/ledger`, bearer(await make(permissions)))).toEqual({
        ...{ ...problem, status: 403, retryAfter: null },
        challenge: 'Bearer error="insufficient_scope", scope="ledger:read"',
        body: {
          ...{ type: 'about:blank', title: 'Forbidden', status: 403 },
          detail: 'The credential lacks the permission ledger:read.',
          missingPermissions: ['ledger:read'],
        },
      });
    }
  });

  test('knows from where a request comes', async () => {
    const h = await serveGateway();
    const api = await listen(await follow(reached(h)));
    const limitedTo = async (...accessTokenTrustedIps: string[]) =>
      (await newToken(h, await withTokenAuth(h, { accessTokenTrustedIps }))).token;
    const here = bearer(await limitedTo('127.0.0.0/8'));
    const elsewhere = bearer(await limitedTo('192.0.2.0/24'));
    const wrong = refusal('wrong-address', 'The credential may not be used from this address.');
    expect((await get(api, here)).status).toBe(200);
    expect(await get(api, elsewhere)).toEqual(wrong);
    const from = { 'x-forwarded-for': '192.0.2.7' };
    // Nobody is believed unless the API says so.
    expect(await get(api, { ...elsewhere, ...from })).toEqual(wrong);
    expect((await get(`${api}/forwarded`, { ...elsewhere, ...from })).status).toBe(200);
    expect(await get(`${api}/forwarded`, { ...here, ...from })).toEqual(wrong);
    expect(await get(`${api}/forwarded`, here)).toEqual(wrong);
  });

  test('answers 503 while it cannot tell', async () => {
    const h = await serveGateway();
    const strict = await followThrough(reached(h), { staleAfterMs: 1_200 });
    const lenient = await followThrough(reached(h), {
      ...{ staleAfterMs: 1_200, whenStale: 'best-effort' },
    });
    const [strictApi, lenientApi] = [await listen(strict.verifier), await listen(lenient.verifier)];
    const { key } = h.demo.apiKey[0] ?? {};
    for (const api of [strictApi, lenientApi]) {
      expect((await get(api, bearer(key))).status).toBe(200);
    }
    for (const { proxy } of [strict, lenient]) await proxy.cut();
    await until(() => ![strict, lenient].some(({ verifier }) => verifier.status().live));
    const unknown = (reason: string) => ({
      ...{ ...problem, status: 503, challenge: null, retryAfter: '1' },
      body: {
        ...{ type: 'about:blank', title: 'Service Unavailable', status: 503, reason },
        detail: 'Whether the credential is good cannot be told for now. Try again.',
      },
    });
    expect(await get(strictApi, bearer(key))).toEqual(unknown('stale'));
    expect((await get(lenientApi, bearer(key))).body).toMatchObject({
      ...{ ok: true, stale: { forMs: expect.any(Number) } },
    });
    const other = bearer(h.demo.apiKey[1]?.key);
    expect(await get(lenientApi, other)).toEqual(unknown('unavailable'));
    // Who presents nothing needs no gateway to be told so.
    expect((await get(strictApi)).status).toBe(401);
  });
});
