import type { AddressInfo } from 'node:net';
import { decodeJwt, importJWK, type JWK, SignJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import type { Revocable } from '../db/tables.ts';
import { askEveryRoute, change, whoIs } from './callers.ts';
import { type Harness, openGateway } from './harness.ts';
import { ISSUER, type Key, makeKey, sign, trusting } from './issuers.ts';
import { add, organizationRow } from './kinds.ts';
import { page, rows } from './markdown.ts';

/** docs/states.md: every token state on every surface, by running each cell. */

const table = rows(page('docs/states.md')).map((cells) => cells.map((cell) => cell.trim()));

interface World {
  readonly h: Harness;
  readonly key: Key;
}

/** A token of some kind, and the rows that it stands on. */
interface Presented {
  readonly token: string;
  /** What is revoked where the token itself is. */
  readonly row?: Revocable;
  readonly parent?: Revocable;
  /** Ends it by itself. */
  readonly expire: (world: World) => Promise<string>;
  /** The same, not good before a while. */
  readonly postpone?: () => Promise<string>;
}

async function mutate(h: Harness, mutation: string): Promise<Record<string, string>> {
  const { data, errors } = await h.graphql<{ r: Record<string, string> }>(
    `mutation { r: ${mutation} }`,
    {},
    h.demo.callers.admin,
  );
  expect(errors).toBeUndefined();
  return data.r;
}

/** A token of the demo data that is a row: what expires is the row. */
async function ofRow(h: Harness, token: string, id: string): Promise<Presented> {
  const row = await h.row(id);
  const parent = await h.row(row.parent_id ?? '');
  const expire = async () => {
    await change(h, id, { expires_at_ms: 1 });
    return token;
  };
  return { token, row, parent, expire };
}

const idOf = async (h: Harness, where: Partial<Revocable>): Promise<string> =>
  (await h.rows()).find((row) =>
    Object.entries(where).every(([name, value]) => row[name as keyof Revocable] === value),
  )?.id ?? '';

const makers: Record<string, (world: World) => Promise<Presented>> = {
  'access token': ({ h }) =>
    ofRow(h, h.demo.accessToken[0]?.token ?? '', h.demo.accessToken[0]?.tokenId ?? ''),
  'service account token': async ({ h }) => {
    const { token = '', tokenSlug = '' } = h.demo.serviceAccountToken[0] ?? {};
    return ofRow(h, token, await idOf(h, { kind: 'service-account-token', slug: tokenSlug }));
  },
  'personal access token': async ({ h }) => {
    const { secret = '' } = await mutate(
      h,
      `createPersonalAccessToken(input: { name: "p", permissions: ["api-key:revoke"] }) {
        ... on CreatePersonalAccessTokenSuccess { secret } }`,
    );
    return ofRow(h, secret, await idOf(h, { kind: 'personal-access-token', name: 'p' }));
  },
  'API key': ({ h }) => ofRow(h, h.demo.apiKey[0]?.key ?? '', h.demo.apiKey[0]?.keyId ?? ''),
  "OAuth client's token": async ({ h }) => {
    const { body } = await form(h, 'token', { grant_type: 'client_credentials' });
    const token = String(body.access_token);
    return ofRow(h, token, decodeJwt(token).jti ?? '');
  },
  'secret of an OAuth client': async ({ h }) =>
    ofRow(h, h.demo.limitedOauthClient.clientSecret, h.demo.limitedOauthClient.clientId),
  'JWT of a trusted issuer': async ({ key }) => ({
    token: await sign(key, { permissions: [], jti: 'the-token' }),
    expire: () => sign(key, { exp: 1 }),
    postpone: () => sign(key, { nbf: later() }),
  }),
  'JWT of an assigned JWK': async ({ h }) => {
    const organization = await organizationRow(h, 'acme');
    const project = await add(h, organization, 'project', { slug: 'p', name: 'p' });
    const credential = await add(h, project, 'gateway-credential', { slug: 'u', name: 'u' });
    const { privateJwk = '' } = await mutate(
      h,
      `createJwk(input: { projectName: "p", jwkName: "j", generate: "ES256" }) {
        ... on CreateJwkSuccess { privateJwk } }`,
    );
    await mutate(
      h,
      `assignJwkValidation(input: { projectName: "p", username: "u", jwkName: "j" }) {
        __typename }`,
    );
    const jwk = JSON.parse(privateJwk) as JWK;
    const signed = async (exp: number, more = {}) =>
      new SignJWT({ sub: 'u', exp, ...more })
        .setProtectedHeader({ alg: 'ES256', kid: jwk.kid ?? '' })
        .sign(await importJWK(jwk));
    const row = await h.row(await idOf(h, { kind: 'jwk-validation', parent_id: credential.id }));
    const nowS = Math.floor(Date.now() / 1000);
    return {
      token: await signed(nowS + 300),
      row,
      parent: credential,
      expire: () => signed(nowS - 300),
      postpone: () => signed(nowS + 300, { nbf: later() }),
    };
  },
};

const later = () => Math.floor(Date.now() / 1000) + 60;

/** Brings a token into a state; says what is to be presented then. */
const states: Record<string, (world: World, presented: Presented) => Promise<string>> = {
  valid: async (_world, { token }) => token,
  'not yet valid': async (_world, { postpone }) => (await postpone?.()) ?? '',
  expired: (world, { expire }) => expire(world),
  'used up': async ({ h }, { token, row }) => {
    await h.running.gateway.writes.run(async (tx) => {
      const limits = { ttl_s: 1, max_ttl_s: 1, period_s: 0, num_uses: 2, num_uses_limit: 2 };
      await tx
        .insertInto('access_tokens')
        .values({ id: row?.id ?? '', ...limits, updated_at_ms: 1 })
        .execute();
    });
    return token;
  },
  'revoked itself': async ({ h }, { token, row }) => {
    if (row === undefined) {
      await mutate(
        h,
        `revokeTrustedTokens(input: { issuer: "${ISSUER}", tokenId: "the-token" }) {
          ... on RevocationSuccess { revocation { id } } }`,
      );
    } else {
      await change(h, row.id, { revoked_at_ms: 1 });
    }
    return token;
  },
  'revoked by an ancestor': async ({ h }, { token, parent }) => {
    await change(h, parent?.id ?? '', { revoked_at_ms: 1 });
    return token;
  },
  'cut off': async ({ h }, { token }) => {
    await mutate(
      h,
      `revokeTrustedTokens(input: { issuer: "${ISSUER}", subject: "ada" }) {
        ... on RevocationSuccess { revocation { id } } }`,
    );
    return token;
  },
  'wrong IP': async ({ h }, { token, parent }) => {
    await h.running.gateway.writes.run(async (tx) => {
      const ips = JSON.stringify([{ ipAddress: '10.0.0.0', type: 'ipv4', prefix: 8 }]);
      await tx
        .updateTable('auth_methods')
        .set({ access_token_trusted_ips: ips })
        .where('id', '=', parent?.id ?? '')
        .execute();
    });
    return token;
  },
};

/** Sends a form as one of the clients of the demo data. */
async function form(
  h: Harness,
  endpoint: string,
  fields: Record<string, string>,
  { clientId, clientSecret } = h.demo.limitedOauthClient,
) {
  const { port } = h.app.server.address() as AddressInfo;
  const response = await fetch(`http://127.0.0.1:${port}/oauth/${endpoint}`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${clientId}:${clientSecret}`)}` },
    body: new URLSearchParams(fields),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

async function introspected(h: Harness, token: string, more: object): Promise<string> {
  const { body } = await form(h, 'introspect', { token, ...more }, h.demo.oauthClient);
  if (!body.active) expect(body).toEqual({ active: false });
  return body.active ? 'active' : 'inactive';
}

async function asBearer(h: Harness, token: string): Promise<string> {
  const { port } = h.app.server.address() as AddressInfo;
  const response = await fetch(`http://127.0.0.1:${port}/oauth/introspect`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: new URLSearchParams({ token: 'x' }),
  });
  return String(response.status);
}

test('every state, and every kind of token, has a row', () => {
  expect(new Set(table.map(([state]) => state))).toEqual(new Set(Object.keys(states)));
  expect(new Set(table.map(([, token]) => token))).toEqual(new Set(Object.keys(makers)));
  expect(new Set(table.map(([state, token]) => `${state} ${token}`)).size).toBe(table.length);
});

describe.each(table)('%s %s', (state = '', kind = '', ...cells) => {
  test(`is ${cells.join(', ')}`, async () => {
    const key = await makeKey();
    const { trustedIssuers } = trusting({ keys: [key.jwk] });
    const h = await openGateway({ config: { trustedIssuers } });
    await h.app.listen({ host: '127.0.0.1', port: 0 });
    const world = { h, key };
    const presented = await (makers[kind] as (typeof makers)[string])(world);
    const token = await (states[state] as (typeof states)[string])(world, presented);

    const me = (await whoIs(h, token)) === null ? 'null' : 'known';
    expect([
      me,
      ...(await statuses(h, token)),
      await asBearer(h, token),
      await introspected(h, token, {}),
      await introspected(h, token, { client_ip: '127.0.0.1' }),
    ]).toEqual(cells);
  });
});

/** What each dialect answers, in the order of the columns; both paths of Infisical's say the same. */
async function statuses(h: Harness, token: string): Promise<string[]> {
  const [jwtAuth, ...others] = await askEveryRoute(h, token);
  expect(others[0]?.status).toBe(jwtAuth?.status);
  return others.map(({ status }) => String(status));
}
