import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { expect } from 'vitest';
import type { Demo } from '../db/demo.ts';
import { gatewayJson, type Settings } from './processes.ts';

/** Signing keys as operators change them, and as those see them who check signatures. */

/** What `key rotate --json` prints. */
export interface Rotated {
  readonly kid: string;
  readonly signsFrom: string;
  readonly retired: readonly string[];
}

export const rotate = (env: Settings, ...args: readonly string[]): Promise<Rotated> =>
  gatewayJson(env, 'key', 'rotate', ...args);

export interface ListedKey {
  readonly kid: string;
  readonly state: string;
  readonly tokensUntil: string | null;
}

export const listed = async (env: Settings): Promise<ListedKey[]> =>
  (await gatewayJson<{ keys: ListedKey[] }>(env, 'key', 'list')).keys;

/** The ids of the keys that a gateway publishes. */
export async function publishedBy(url: string): Promise<string[]> {
  const response = await fetch(`${url}/.well-known/jwks.json`);
  expect(response.status).toBe(200);
  return ((await response.json()) as { keys: { kid: string }[] }).keys.map(({ kid }) => kid);
}

/** An access token for a client of the demo data. */
export async function mintAt(url: string, { clientId, clientSecret }: Demo['oauthClient']) {
  const response = await fetch(`${url}/oauth/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${clientId}:${clientSecret}`)}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  });
  const { access_token: token } = (await response.json()) as { access_token: string };
  expect([response.status, typeof token]).toEqual([200, 'string']);
  return { token, kid: decodeProtectedHeader(token).kid };
}

/** Whether a gateway takes a token for good. */
export async function isActive(
  url: string,
  { clientId, clientSecret }: Demo['oauthClient'],
  token: string,
): Promise<boolean> {
  const response = await fetch(`${url}/oauth/introspect`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${clientId}:${clientSecret}`)}` },
    body: new URLSearchParams({ token }),
  });
  return ((await response.json()) as { active: boolean }).active;
}

/** Whoever knows nothing of the gateway but its JWKS, and reads that when it must. */
export function strangerAt(url: string): (token: string) => Promise<boolean> {
  const keys = createRemoteJWKSet(new URL(`${url}/.well-known/jwks.json`));
  return (token) =>
    jwtVerify(token, keys).then(
      () => true,
      () => false,
    );
}
