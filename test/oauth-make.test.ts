import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Demo } from '../db/demo.ts';
import { permissions } from '../src/permissions.ts';
import { hashSecret } from '../src/secrets.ts';
import { makeKey, sign } from './issuers.ts';
import {
  basic,
  type Client,
  clientWith,
  post,
  type Served,
  serveGateway,
} from './oauth-clients.ts';
import { gateway, gatewayJson, newFolder, serve, settingsIn } from './processes.ts';

/** How OAuth clients are made: in GraphQL, on the command line, and for the demo. */

interface Made {
  readonly oauthClient?: { readonly id: string; readonly name: string };
  readonly clientSecret?: string | null;
  readonly code?: string;
  readonly issues?: readonly { readonly path: string; readonly message: string }[];
}

async function create(h: Served, input: object): Promise<Made> {
  const { data, errors } = await h.graphql<{ r: Made }>(
    `mutation ($input: CreateOauthClientInput!) {
      r: createOauthClient(input: $input) {
        ... on CreateOauthClientSuccess { oauthClient { id name } clientSecret }
        ... on Error { code }
        ... on InvalidInputError { issues { path message } }
      }
    }`,
    { input: { name: 'reader', permissions: ['credential:introspect'], ...input } },
    h.demo.callers.admin,
  );
  expect(errors).toBeUndefined();
  return data.r;
}

describe('createOauthClient', () => {
  test('makes a client with a secret, which is its id and its secret', async () => {
    const h = await serveGateway();
    const { oauthClient, clientSecret } = await create(h, {});
    const { id: clientId = '' } = oauthClient ?? {};
    expect(clientSecret).toMatch(/^rgw_cs_[\w-]{43}$/);
    expect((await h.row(clientId)).secret_hash).toBe(hashSecret(clientSecret ?? ''));
    const client = { clientId, clientSecret: clientSecret ?? '' };
    const { status, body } = await post(h, 'introspect', { token: 'x' }, basic(client));
    expect([status, body]).toEqual([200, { active: false }]);
  });

  test('makes a client with keys, which has no secret', async () => {
    const h = await serveGateway();
    const [key, next] = [await makeKey('one'), await makeKey('two', 'RS256')];
    const publicKeys = [key, next].map(({ jwk }) => JSON.stringify({ ...jwk, junk: [1], d2: 'x' }));
    const { oauthClient, clientSecret } = await create(h, { publicKeys });
    const { id = '' } = oauthClient ?? {};
    expect(clientSecret).toBeNull();
    expect((await h.row(id)).secret_hash).toBeNull();
    for (const each of [key, next]) {
      const claims = { iss: id, sub: id, aud: h.url, jti: each.kid };
      const { status } = await post(h, 'introspect', {
        token: 'x',
        client_assertion: await sign(each, claims),
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      });
      expect(status).toBe(200);
    }
    const { public_keys } = await h.running.database.reader
      .selectFrom('oauth_clients')
      .select('public_keys')
      .where('id', '=', id)
      .executeTakeFirstOrThrow();
    expect(JSON.parse(public_keys ?? '')).toEqual([key.jwk, next.jwk]);
    for (const clientSecret of ['', 'null', 'undefined']) {
      const { status } = await post(
        h,
        'introspect',
        { token: 'x' },
        basic({ clientId: id, clientSecret }),
      );
      expect(status).toBe(401);
    }
  });

  const rsa = (half: 'publicKey' | 'privateKey', modulusLength: number) =>
    JSON.stringify(generateKeyPairSync('rsa', { modulusLength })[half].export({ format: 'jwk' }));

  test.each<[string, () => string[] | Promise<string[]>]>([
    ['an empty list', () => []],
    ['eleven keys', async () => Array(11).fill(JSON.stringify((await makeKey()).jwk))],
    ['no JSON', () => ['{']],
    ['null', () => ['null']],
    ['a number', () => ['5']],
    ['a list', () => ['[]']],
    ['an empty object', () => ['{}']],
    ['a symmetric key', () => ['{"kty":"oct","k":"AAAA"}']],
    ['a private key', () => [rsa('privateKey', 2048)]],
    ['a short key', () => [rsa('publicKey', 1024)]],
    [
      'a key with a private half beside a good one',
      async () => [JSON.stringify((await makeKey()).jwk), rsa('privateKey', 2048)],
    ],
    [
      'a text that is too long',
      async () => [JSON.stringify({ ...(await makeKey()).jwk, padding: 'x'.repeat(8 * 1024) })],
    ],
  ])('refuses %s as publicKeys', async (_what, publicKeys) => {
    const h = await serveGateway();
    const rows = await h.rows();
    const { code, issues } = await create(h, { publicKeys: await publicKeys() });
    expect([code, issues?.map(({ path }) => path)]).toEqual(['INVALID_INPUT', ['publicKeys']]);
    expect(await h.rows()).toEqual(rows);
  });

  test('gives no more than the caller has, and not without the permission to make one', async () => {
    const h = await serveGateway();
    const maker = ['oauth-client:create', 'credential:introspect'];
    for (const [held, given, status] of [
      [maker, ['credential:introspect'], 'CreateOauthClientSuccess'],
      [maker, ['credential:introspect', 'ledger:read'], 'PermissionDeniedError'],
      [maker, ['organization:admin'], 'PermissionDeniedError'],
      [['credential:introspect'], ['credential:introspect'], 'PermissionDeniedError'],
    ] as const) {
      const client = await clientWith(h, held);
      const form = { grant_type: 'client_credentials' };
      const { body } = await post(h, 'token', form, basic(client));
      const { data } = await h.graphql<{ r: object }>(
        `mutation ($permissions: [String!]!) {
          r: createOauthClient(input: { name: "x", permissions: $permissions }) { __typename } }`,
        { permissions: given },
        String(body.access_token),
      );
      expect([held, given, data.r]).toEqual([held, given, { __typename: status }]);
    }
  });
});

describe('gateway client create', () => {
  const introspect = async (url: string, client: Client, token: string) => {
    const { status, body } = await post({ url }, 'introspect', { token }, basic(client));
    return [status, body.active];
  };

  test('prints what a client needs, and no more; it may introspect and revoke', async () => {
    const settings = settingsIn(newFolder());
    await gatewayJson(settings, 'organization', 'create', 'acme');
    const made = ['client', 'create', '--organization', 'acme', '--json'];
    const { code, stdout, stderr } = await gateway(settings, ...made);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const client = JSON.parse(stdout) as Client;
    expect(stdout).toBe(`${JSON.stringify(client)}\n`);
    expect(Object.keys(client)).toEqual(['clientId', 'clientSecret']);
    const { url } = await serve(settings);
    const { secret } = await gatewayJson<{ secret: string }>(
      settings,
      ...['personal-access-token', 'create', 'x', '--organization', 'acme'],
      ...['--permissions', 'ledger:read'],
    );
    expect(await introspect(url, client, secret)).toEqual([200, true]);
    const form = { grant_type: 'client_credentials' };
    const { body } = await post({ url }, 'token', form, basic(client));
    const revoking = permissions.filter((permission) => permission.endsWith(':revoke'));
    expect(String(body.scope).split(' ').toSorted()).toEqual(
      ['credential:introspect', ...revoking].toSorted(),
    );
    await post({ url }, 'revoke', { token: secret }, basic(client));
    expect(await introspect(url, client, secret)).toEqual([200, false]);
  });

  test('has a name and permissions as they are given, and says how to go on', async () => {
    const settings = { ...settingsIn(newFolder()), PUBLIC_URL: 'https://gateway.example/' };
    await gatewayJson(settings, 'organization', 'create', 'acme');
    const mine = ['--organization', 'acme', '--permissions', 'ledger:read'];
    const { code, stdout } = await gateway(settings, 'client', 'create', 'my-api', ...mine);
    expect(code).toBe(0);
    const [, clientId = '', clientSecret = ''] =
      /^client_id {6}(\S+)\nclient_secret {2}(\S+)\n\n/.exec(stdout) ?? [];
    expect(stdout).toContain(
      `curl -u ${clientId} -d token=LEAKED https://gateway.example/oauth/revoke`,
    );
    const { url } = await serve(settings);
    expect(await introspect(url, { clientId, clientSecret }, 'x')).toEqual([400, undefined]);
    const nobody = ['--organization', 'nobody'];
    const wrong: [string[], string][] = [
      [['client', 'create'], '--organization'],
      [['client', 'create', ...nobody], 'gateway organization create nobody'],
      [['client', 'create', ...mine.slice(0, 3), 'everything'], 'permissions: Not a permission'],
      [['client', 'create', ...mine.slice(0, 3), ','], 'permissions: Name at least one'],
      [['client', 'create', ' ', ...mine], 'name: Must be 1 to 200 characters'],
    ];
    for (const [args, words] of wrong) {
      const ended = await gateway(settings, ...args);
      expect([ended.code, ended.stdout, ended.stderr]).toEqual([
        1,
        '',
        expect.stringContaining(words),
      ]);
    }
  });
});

test('the demo has a client for everything, and one that only asks', async () => {
  const settings = settingsIn(newFolder());
  const demo = await gatewayJson<Demo>(settings, 'demo');
  expect(Object.keys(demo).slice(-2)).toEqual(['oauthClient', 'limitedOauthClient']);
  const { url } = await serve(settings);
  const { key: token = '' } = demo.apiKey[0] ?? {};
  const revoke = (client: Client) => post({ url }, 'revoke', { token }, basic(client));
  const active = async (client: Client) =>
    (await post({ url }, 'introspect', { token }, basic(client))).body.active;
  expect((await revoke(demo.limitedOauthClient)).body.error).toBe('unauthorized_client');
  expect(await active(demo.limitedOauthClient)).toBe(true);
  expect((await revoke(demo.oauthClient)).headers.get('revocation-id')).not.toBeNull();
  expect(await active(demo.oauthClient)).toBe(false);
});
