import { describe, expect, test } from 'vitest';
import { change } from './callers.ts';
import { type Attempt, attempt, encoded, endpoints, inForm, unknown } from './oauth-attempts.ts';
import {
  basic,
  bearer,
  type Client,
  clientWith,
  clientWithKeys,
  type Served,
  serveGateway,
} from './oauth-clients.ts';

/** How clients prove who they are with a secret, and what each failure is answered with. */

/** As strictly as RFC 6749 has it: whatever is no letter and no digit. */
const strict = (text: string) =>
  text.replace(/[^a-z0-9]/gi, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

const good: Record<string, (client: Client) => Attempt> = {
  client_secret_basic: (client) => ({ headers: basic(client) }),
  'client_secret_basic, encoded as in a form': ({ clientId, clientSecret }) => ({
    headers: encoded(`${strict(clientId)}:${strict(clientSecret)}`),
  }),
  'client_secret_basic in small letters, with its own client_id': (client) => ({
    headers: { authorization: basic(client).authorization.replace('Basic', 'basic') },
    form: { client_id: client.clientId },
  }),
  'client_secret_basic beside an empty client_secret': (client) => ({
    headers: basic(client),
    form: { client_secret: '' },
  }),
  client_secret_post: (client) => ({ form: inForm(client) }),
};

describe.each(endpoints)('/oauth/%s', (endpoint) => {
  test.each(Object.entries(good))('knows a client by %s', async (_what, given) => {
    const h = await serveGateway();
    const { status } = await attempt(h, endpoint, given(h.demo.oauthClient));
    expect(status).toBe(200);
  });

  test.each<[string, (client: Client, h: Served) => Promise<Attempt> | Attempt]>([
    ['a wrong secret', ({ clientId }) => ({ headers: encoded(`${clientId}:rgw_cs_wrong`) })],
    [
      'the secret of another client',
      ({ clientId }, { demo }) => ({
        form: inForm({ ...demo.limitedOauthClient, clientId }),
      }),
    ],
    ['an unknown id', (client) => ({ headers: basic({ ...client, clientId: 'nobody' }) })],
    ['no secret', ({ clientId }) => ({ headers: encoded(`${clientId}:`) })],
    ['no id', ({ clientSecret }) => ({ headers: encoded(`:${clientSecret}`) })],
    ['no colon', ({ clientSecret }) => ({ headers: encoded(clientSecret) })],
    ['no base64', () => ({ headers: { authorization: 'Basic %%%' } })],
    ['nothing behind Basic', () => ({ headers: { authorization: 'Basic' } })],
    ['a broken encoding', ({ clientId }) => ({ headers: encoded(`${clientId}:%E0%A4%A`) })],
    ['another scheme', () => ({ headers: { authorization: 'Digest username="x"' } })],
    [
      'another client_id beside it',
      (client) => ({
        headers: basic(client),
        form: { client_id: 'somebody-else' },
      }),
    ],
    [
      'a secret without client_id',
      ({ clientSecret }) => ({ form: { client_secret: clientSecret } }),
    ],
    [
      'a NUL in it',
      (client) => ({ form: inForm({ ...client, clientId: `${client.clientId}\0` }) }),
    ],
    [
      'the secret of a personal access token',
      async (client, { demo, rows }) => {
        const pat = (await rows()).find(({ kind }) => kind === 'personal-access-token');
        expect(client.clientId).not.toBe(pat?.id);
        const clientSecret = demo.callers.personalAccessToken;
        return { headers: basic({ clientId: pat?.id ?? '', clientSecret }) };
      },
    ],
    [
      'the id of a client with keys',
      async (client, h) => {
        const clientId = await clientWithKeys(h);
        return { headers: basic({ ...client, clientId }) };
      },
    ],
    [
      'a revoked client',
      async (client, h) => {
        await change(h, client.clientId, { revoked_at_ms: 1 });
        return { headers: basic(client) };
      },
    ],
    [
      'an expired client',
      async (client, h) => {
        await change(h, client.clientId, { expires_at_ms: 1 });
        return { headers: basic(client) };
      },
    ],
    [
      'a client of a revoked organization',
      async (_client, h) => {
        const client = await clientWith(h, ['organization:admin'], { slug: 'globex' });
        const { organization_id } = await h.row(client.clientId);
        await change(h, organization_id, { revoked_at_ms: 1 });
        return { headers: basic(client) };
      },
    ],
  ])('answers %s like any other failure', async (_what, given) => {
    const h = await serveGateway();
    const ledger = await h.ledger();
    expect(await attempt(h, endpoint, await given(h.demo.oauthClient, h))).toEqual(unknown);
    // Who is not known leaves nothing behind.
    expect(await h.ledger()).toEqual(ledger);
  });

  test.each<[string, (client: Client) => Attempt]>([
    ['Basic and client_secret', (client) => ({ headers: basic(client), form: inForm(client) })],
    [
      'Basic and an assertion',
      (client) => ({
        headers: basic(client),
        form: { client_assertion: 'x', client_assertion_type: 'y' },
      }),
    ],
    [
      'Basic and the type of an assertion',
      (client) => ({
        headers: basic(client),
        form: { client_assertion_type: 'y' },
      }),
    ],
    [
      'client_secret and an assertion',
      (client) => ({
        form: { ...inForm(client), client_assertion: 'x', client_assertion_type: 'y' },
      }),
    ],
    [
      'a bearer token and client_secret',
      (client) => ({
        headers: bearer('x'),
        form: inForm(client),
      }),
    ],
  ])('takes %s for a mistake', async (_what, given) => {
    const h = await serveGateway();
    expect(await attempt(h, endpoint, given(h.demo.oauthClient))).toEqual({
      status: 400,
      challenge: null,
      body: {
        error: 'invalid_request',
        error_description: 'Authenticate in one way, not in several.',
      },
    });
  });
});
