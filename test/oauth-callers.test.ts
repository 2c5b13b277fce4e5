import { expect, test } from 'vitest';
import { attempt, encoded, forms, unknown } from './oauth-attempts.ts';
import { basic, bearer, post, serveGateway } from './oauth-clients.ts';

/** Who asks at the OAuth endpoints: clients, bearers of tokens, and those who say nothing. */

test('who says nothing is told both ways to say it, where both count', async () => {
  const h = await serveGateway();
  const both = 'Basic realm="revocation gateway", Bearer realm="revocation gateway"';
  expect(await attempt(h, 'token', {})).toEqual(unknown);
  for (const endpoint of ['introspect', 'revoke'] as const) {
    for (const form of [{}, { client_id: h.demo.oauthClient.clientId }]) {
      expect(await attempt(h, endpoint, { form })).toEqual({
        status: 401,
        challenge: both,
        body: {
          error: 'invalid_client',
          error_description: 'Authenticate as a client, or send a bearer token.',
        },
      });
    }
  }
});

test.each(['introspect', 'revoke'] as const)(
  '/oauth/%s knows bearers by their tokens',
  async (endpoint) => {
    const h = await serveGateway();
    const { callers, apiKey, oauthClient } = h.demo;
    const headers = bearer(callers.admin);
    expect((await attempt(h, endpoint, { headers })).status).toBe(200);
    const form = { client_id: oauthClient.clientId };
    expect((await attempt(h, endpoint, { headers, form })).status).toBe(200);
    for (const token of [
      '',
      'x',
      callers.expired,
      apiKey[0]?.key ?? '',
      oauthClient.clientSecret,
    ]) {
      expect(await attempt(h, endpoint, { headers: bearer(token) })).toEqual({
        status: 401,
        challenge: 'Bearer realm="revocation gateway", error="invalid_token"',
        body: { error: 'invalid_token', error_description: 'The token is not good.' },
      });
    }
  },
);

test('no bearer token gets a token', async () => {
  const h = await serveGateway();
  expect(await attempt(h, 'token', { headers: bearer(h.demo.callers.admin) })).toEqual(unknown);
});

test('the log says why, and never with what', async () => {
  const log: string[] = [];
  const h = await serveGateway({
    config: { logLevel: 'info' },
    logTo: { write: (line) => log.push(line) },
  });
  const { clientId } = h.demo.oauthClient;
  await post(h, 'token?client_secret=rgw_cs_query', forms.token, {
    ...encoded(`${clientId}:rgw_cs_header`),
  });
  await post(h, 'introspect', {
    client_id: clientId,
    client_secret: 'rgw_cs_form',
    token: 'eyJ_token',
  });
  await post(h, 'revoke', { token: 'rgw_key_token' }, basic(h.demo.oauthClient));
  const lines = log.map((line) => JSON.parse(line)).filter(({ route }) => route !== undefined);
  expect(lines).toMatchObject([
    { route: '/oauth/token', refusal: 'UNAUTHENTICATED', reason: 'unknown', status: 401 },
    { route: '/oauth/introspect', refusal: 'UNAUTHENTICATED', reason: 'unknown', status: 401 },
    { route: '/oauth/revoke', refusal: 'NOT_FOUND', status: 200 },
  ]);
  expect(log.join()).not.toMatch(/rgw_|eyJ|_query|_header|_form|_token/);
});
