import { OAuth2Client } from '@badgateway/oauth2-client';
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import { ClientCredentials } from 'simple-oauth2';
import { describe, expect, test } from 'vitest';
import {
  discover,
  insecure,
  introspected,
  type Served,
  serveTrusting,
  values,
} from './oauth-clients.ts';
import { isOnDisk } from './stored.ts';

/** OAuth clients as people have them: found, authenticated, and told the truth, for every kind. */

/** What a library does for its user. */
interface Library {
  token(): Promise<string>;
  introspect(value: string): Promise<object>;
  revoke(value: string): Promise<unknown>;
}

async function oauth4webapi(h: Served, auth: oauth.ClientAuth, id: string): Promise<Library> {
  const as = await discover(h);
  const client = { client_id: id };
  return {
    async token() {
      const response = await oauth.clientCredentialsGrantRequest(as, client, auth, {}, insecure);
      return (await oauth.processClientCredentialsResponse(as, client, response)).access_token;
    },
    async introspect(value) {
      const response = await oauth.introspectionRequest(as, client, auth, value, insecure);
      return await oauth.processIntrospectionResponse(as, client, response);
    },
    revoke: async (value) =>
      oauth.processRevocationResponse(
        await oauth.revocationRequest(as, client, auth, value, insecure),
      ),
  };
}

async function openidClient(h: Served, auth: (secret: string) => openid.ClientAuth) {
  const { clientId, clientSecret } = h.demo.oauthClient;
  const config = await openid.discovery(new URL(h.url), clientId, {}, auth(clientSecret), {
    algorithm: 'oauth2',
    execute: [openid.allowInsecureRequests],
  });
  return {
    token: async () => (await openid.clientCredentialsGrant(config)).access_token,
    introspect: (value: string) => openid.tokenIntrospection(config, value),
    revoke: (value: string) => openid.tokenRevocation(config, value),
  };
}

function simpleOauth2(h: Served, authorizationMethod: 'header' | 'body'): Library {
  const { clientId: id, clientSecret: secret } = h.demo.oauthClient;
  const client = new ClientCredentials({
    client: { id, secret },
    auth: { tokenHost: h.url, tokenPath: '/oauth/token', revokePath: '/oauth/revoke' },
    options: { authorizationMethod },
  });
  return {
    token: async () => (await client.getToken({})).token.access_token,
    introspect: (value) => introspected(h, value),
    revoke: (value) => client.createToken({ access_token: value }).revoke('access_token'),
  };
}

function badgateway(h: Served): Library {
  const client = new OAuth2Client({ server: h.url, ...h.demo.oauthClient });
  const held = (accessToken: string) => ({ accessToken, expiresAt: null, refreshToken: null });
  return {
    token: async () => (await client.clientCredentials()).accessToken,
    introspect: (value) => client.introspect(held(value)),
    revoke: (value) => client.revoke(held(value)),
  };
}

const libraries: Record<string, (h: Served) => Promise<Library> | Library> = {
  'oauth4webapi, client_secret_basic': (h) => {
    const { clientId, clientSecret } = h.demo.oauthClient;
    return oauth4webapi(h, oauth.ClientSecretBasic(clientSecret), clientId);
  },
  'oauth4webapi, client_secret_post': (h) => {
    const { clientId, clientSecret } = h.demo.oauthClient;
    return oauth4webapi(h, oauth.ClientSecretPost(clientSecret), clientId);
  },
  'openid-client, client_secret_post': (h) => openidClient(h, openid.ClientSecretPost),
  'openid-client, client_secret_basic': (h) => openidClient(h, openid.ClientSecretBasic),
  'simple-oauth2, header': (h) => simpleOauth2(h, 'header'),
  'simple-oauth2, body': (h) => simpleOauth2(h, 'body'),
  '@badgateway/oauth2-client': badgateway,
};

describe.each(Object.entries(libraries))('%s', (_name, open) => {
  test('gets a token, and every kind of value is active until it is revoked', async () => {
    const log: string[] = [];
    const logTo = { write: (line: string) => log.push(line) };
    const h = await serveTrusting({ config: { logLevel: 'trace' }, logTo });
    const library = await open(h);
    expect(await library.introspect(await library.token())).toMatchObject({
      active: true,
      client_id: h.demo.oauthClient.clientId,
    });
    for (const [kind, make] of Object.entries(values)) {
      const value = await make(h);
      const before = await library.introspect(value);
      expect([kind, before]).toEqual([kind, expect.objectContaining({ active: true })]);
      await library.revoke(value);
      expect([kind, await library.introspect(value)]).toEqual([kind, { active: false }]);
      // Whatever it was, once more changes nothing and is no error.
      await library.revoke(value);
      expect([kind, await isOnDisk(h, value), log.join().includes(value)]).toEqual([
        kind,
        false,
        false,
      ]);
    }
    await library.revoke('never-heard-of');
    await expect(library.revoke('')).rejects.toThrow();
    const revoked = (await h.ledger()).filter(
      ({ action, outcome }) => action === 'revoke' && outcome === 'done',
    );
    expect(revoked).toHaveLength(Object.keys(values).length);
  });

  test('is no more known once its client is revoked, and neither is its token', async () => {
    const h = await serveTrusting();
    const library = await open(h);
    const token = await library.token();
    await library.revoke(h.demo.oauthClient.clientSecret);
    for (const ask of [
      library.token,
      () => library.introspect(token),
      () => library.revoke(token),
    ]) {
      await expect(ask()).rejects.toThrow();
    }
    const verified = await h.running.gateway.verify(token, { use: false });
    expect(verified).toMatchObject({ reason: 'ownerRevoked' });
  });
});
