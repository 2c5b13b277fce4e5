import { type AddressInfo, createServer, type Socket } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import * as oauth from 'oauth4webapi';
import { expect, onTestFinished } from 'vitest';
import type { Revocable } from '../db/tables.ts';
import { hashSecret, newSecret } from '../src/secrets.ts';
import { type Harness, type HarnessOptions, openGateway } from './harness.ts';
import { makeKey, sign, trusting } from './issuers.ts';
import { add, insert, organizationRow } from './kinds.ts';

/** Clients of the OAuth endpoints, and what they ask about. */

/** A gateway that is reached where it says that it is. */
export interface Served extends Harness {
  readonly url: string;
}

export interface Client {
  readonly clientId: string;
  readonly clientSecret: string;
}

/** Serves a gateway on 127.0.0.1: that address is its issuer, with `path` behind it. */
export async function serveGateway(options: HarnessOptions = {}, path = ''): Promise<Served> {
  let deliver: (socket: Socket) => unknown = (socket) => socket.destroy();
  const sockets = new Set<Socket>();
  // Its port is known, and taken, before there is a gateway that could say it.
  const door = createServer((socket) => {
    sockets.add(socket);
    deliver(socket);
  });
  await new Promise<void>((resolve, reject) => {
    door.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    door.close();
    for (const socket of sockets) socket.destroy();
  });
  const url = `http://127.0.0.1:${(door.address() as AddressInfo).port}${path}`;
  const h = await openGateway({ ...options, config: { publicUrl: url, ...options.config } });
  deliver = (socket) => h.app.server.emit('connection', socket);
  return { ...h, url };
}

/** The same, which also trusts an issuer; `sign` makes its JWTs. */
export async function serveTrusting(options: HarnessOptions = {}) {
  const key = await makeKey();
  const { trustedIssuers } = trusting({ keys: [key.jwk] });
  const h = await serveGateway({ ...options, config: { trustedIssuers, ...options.config } });
  const trusted = (claims: Record<string, unknown> = {}) =>
    sign(key, { jti: crypto.randomUUID(), permissions: ['ledger:read'], ...claims });
  return { ...h, trusted };
}

export interface OauthAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body, where it is JSON. */
  readonly body: Record<string, unknown>;
}

type Form = Record<string, string> | [string, string][] | string;

/** Sends a form to an endpoint, such as `introspect`. */
export async function post(
  { url }: Pick<Served, 'url'>,
  endpoint: string,
  form: Form,
  headers: Record<string, string> = {},
): Promise<OauthAnswer> {
  const response = await fetch(new URL(`/oauth/${endpoint}`, url), {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body: typeof form === 'string' ? form : new URLSearchParams(form).toString(),
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type') === 'application/json';
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: isJson ? JSON.parse(text) : {},
  };
}

export const basic = ({ clientId, clientSecret }: Client) => ({
  authorization: `Basic ${btoa(`${clientId}:${clientSecret}`)}`,
});

export const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

/** What the demo's client is told of a value, with whatever it says besides. */
export async function introspected(h: Served, token: string, more: Record<string, string> = {}) {
  const answer = await post(h, 'introspect', { token, ...more }, basic(h.demo.oauthClient));
  expect(answer.status).toBe(200);
  return answer.body;
}

/** A new client with a secret. */
export async function clientWith(
  h: Harness,
  permissions: readonly string[],
  { slug = 'acme', ...more }: Partial<Revocable> = {},
): Promise<Client> {
  const clientSecret = newSecret('oauth-client');
  const { id: clientId } = await addClient(h, slug ?? '', null, {
    permissions: JSON.stringify(permissions),
    secret_hash: hashSecret(clientSecret),
    ...more,
  });
  return { clientId, clientSecret };
}

/** A new client that signs with one of these keys; its id. */
export const clientWithKeys = async (h: Harness, ...keys: object[]): Promise<string> =>
  (
    await addClient(h, 'acme', JSON.stringify(keys), {
      permissions: '["credential:introspect","api-key:revoke"]',
    })
  ).id;

async function addClient(
  h: Harness,
  slug: string,
  publicKeys: string | null,
  more: Partial<Revocable>,
): Promise<Revocable> {
  const organization = await organizationRow(h, slug);
  const row = await add(h, organization, 'oauth-client', { name: 'a client', ...more });
  await insert(h, 'oauth_clients', { id: row.id, public_keys: publicKeys });
  return row;
}

/** A token that a client gets for itself. */
export async function tokenOf(h: Served, client: Client, scope?: string): Promise<string> {
  const form = { grant_type: 'client_credentials', ...(scope !== undefined && { scope }) };
  const { status, body } = await post(h, 'token', form, basic(client));
  expect(status).toBe(200);
  return String(body.access_token);
}

/** A JWT that a gateway credential signs with the JWK that is assigned to it. */
export async function assignedJwt(h: Harness, claims: object = {}, jwk: object = {}) {
  const organization = await organizationRow(h, 'acme');
  const slug = crypto.randomUUID();
  const project = await add(h, organization, 'project', { slug, name: slug });
  const credential = await add(h, project, 'gateway-credential', { slug, name: slug });
  const key = await add(h, project, 'jwk', { slug, name: slug });
  const { privateKey, publicKey } = await generateKeyPair('ES256');
  const public_jwk = JSON.stringify({ ...(await exportJWK(publicKey)), kid: slug, ...jwk });
  await insert(h, 'jwks', { id: key.id, public_jwk, kid: slug, source: 'pasted' });
  const assignment = await add(h, credential, 'jwk-validation', { name: slug });
  await insert(h, 'jwk_assignments', { id: assignment.id, jwk_id: key.id });
  const nowS = Math.floor(Date.now() / 1000);
  const token = await new SignJWT({ sub: slug, iat: nowS, exp: nowS + 300, ...claims })
    .setProtectedHeader({ alg: 'ES256', kid: slug })
    .sign(privateKey);
  return { token, kid: slug, jwkId: key.id, assignment };
}

/** oauth4webapi refuses http unless it is told to. */
export const insecure = { [oauth.allowInsecureRequests]: true };

/** What the gateway says of itself, as a client finds and checks it. */
export async function discover(h: Served): Promise<oauth.AuthorizationServer> {
  const issuer = new URL(h.url);
  const response = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure });
  return await oauth.processDiscoveryResponse(issuer, response);
}

/** A value of every kind, by the name of its kind. */
export const values: Record<
  string,
  (h: Awaited<ReturnType<typeof serveTrusting>>) => Promise<string>
> = {
  'token of JWT Auth': async ({ demo }) => demo.jwtAuth[0]?.accessToken ?? '',
  'token of Token Auth': async ({ demo }) => demo.accessToken[0]?.token ?? '',
  'JWT of a caller': async ({ demo }) => demo.callers.viewer,
  'API key': async ({ demo }) => demo.apiKey[0]?.key ?? '',
  'service account token': async ({ demo }) => demo.serviceAccountToken[0]?.token ?? '',
  'personal access token': async ({ demo }) => demo.callers.personalAccessToken,
  "client's own token": (h) => tokenOf(h, h.demo.oauthClient),
  'client secret': async ({ demo }) => demo.limitedOauthClient.clientSecret,
  'JWT of a trusted issuer': ({ trusted }) => trusted(),
  'JWT of an assigned JWK': async (h) => (await assignedJwt(h)).token,
};
