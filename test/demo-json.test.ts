import { expect, test } from 'vitest';
import type { Demo } from '../db/demo.ts';
import { readConfig } from '../src/config.ts';
import { hashSecret } from '../src/secrets.ts';
import { chainOf, standing } from '../src/standing.ts';
import { start } from '../src/start.ts';
import { gateway, newFolder, type Settings, serve, settingsIn } from './processes.ts';

/** `gateway demo --json`: what it prints is all there, and all of it works. */

async function fill(...more: string[]): Promise<{ settings: Settings; text: string; demo: Demo }> {
  const settings = settingsIn(newFolder());
  const { code, stdout, stderr } = await gateway(settings, 'demo', '--json', ...more);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return { settings, text: stdout, demo: JSON.parse(stdout) as Demo };
}

/** The members that scripts rely on. */
const members = {
  organization: 'string',
  callers: ['admin', 'viewer', 'outsider', 'expired', 'personalAccessToken'],
  jwtAuth: [['identityId', 'accessToken']],
  accessToken: [['tokenId', 'token']],
  apiKey: [['applicationId', 'keyId', 'key']],
  serviceAccountToken: [['serviceAccountSlug', 'tokenSlug', 'token']],
  jwkValidation: [['projectName', 'username', 'jwkName']],
  withoutJwtAuth: ['identityId'],
  withoutJwk: ['projectName', 'username'],
  oauthClient: ['clientId', 'clientSecret'],
  limitedOauthClient: ['clientId', 'clientSecret'],
};

/** What a JSON value is made of: the names of its members, or its type. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return [...new Set(value.map((each) => JSON.stringify(shapeOf(each))))];
  if (typeof value !== 'object' || value === null) return typeof value;
  return Object.keys(value);
}

test.each([
  ['three of each kind, unless said', [], 3],
  ['as many of each kind as --count says', ['--count', '5'], 5],
])('one JSON object and nothing else: %s', async (_what, more, count) => {
  const { text, demo } = await fill(...more);
  expect(text).toBe(`${JSON.stringify(demo)}\n`);
  const shape = Object.entries(demo).map(([name, value]) => [name, shapeOf(value)]);
  const expected = Object.entries(members).map(([name, value]) => [
    name,
    Array.isArray(value[0]) ? [JSON.stringify(value[0])] : value,
  ]);
  expect(shape).toEqual(expected);
  for (const value of Object.values(demo)) {
    if (Array.isArray(value)) expect(value).toHaveLength(count);
  }
});

/** Every text of a JSON value, with the name of its member. */
function textsOf(value: unknown, name = ''): [name: string, text: string][] {
  if (typeof value === 'string') return [[name, value]];
  return Object.entries(value as object).flatMap(([key, each]) => textsOf(each, key));
}

test('names are URL-safe, and none is part of another', async () => {
  const { demo } = await fill('--count', '12');
  const secret = /token$|^key$|secret$/i;
  const { callers, ...rest } = demo;
  const names = textsOf(rest)
    .filter(([name]) => !secret.test(name))
    .map(([, text]) => text);
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) {
    expect(name).toMatch(/^[A-Za-z0-9._~-]+$/);
    expect(names.filter((other) => other !== name && other.includes(name))).toEqual([]);
  }
  const secrets = textsOf({ callers, ...rest }).filter(([name]) => secret.test(name));
  expect(new Set(secrets.map(([, text]) => text)).size).toBe(secrets.length);
});

test('every caller and every secret works, and the expired one does not', async () => {
  const { settings, demo } = await fill();
  const { url } = await serve(settings);
  const me = async (bearer: string) => {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${bearer}` },
      body: JSON.stringify({ query: '{ me { organization permissions } }' }),
    });
    return ((await response.json()) as { data: { me: unknown } }).data.me;
  };
  const { callers } = demo;
  const everything = { organization: 'acme', permissions: ['organization:admin'] };
  expect(await me(callers.admin)).toEqual(everything);
  expect(await me(callers.personalAccessToken)).toEqual(everything);
  expect(await me(callers.viewer)).toEqual({
    organization: 'acme',
    permissions: expect.anything(),
  });
  expect(await me(callers.outsider)).toEqual({ ...everything, organization: 'globex' });
  expect(await me(callers.expired)).toBeNull();
  for (const { accessToken } of demo.jwtAuth) expect(await me(accessToken)).not.toBeNull();
  for (const { token } of demo.accessToken) expect(await me(token)).not.toBeNull();
  for (const { token } of demo.serviceAccountToken) expect(await me(token)).not.toBeNull();
});

test('every API key is the live secret of its row', async () => {
  const { settings, demo } = await fill();
  const running = await start(readConfig({ ...settings, LOG_LEVEL: 'silent' }));
  for (const { applicationId, keyId, key } of demo.apiKey) {
    const chain = await chainOf(running.database.reader, 'secret_hash', hashSecret(key));
    expect(chain.map(({ id }) => id).slice(0, 2)).toEqual([keyId, applicationId]);
    expect(standing(chain, Date.now())).toBeUndefined();
  }
  await running.close();
});

/** How an existing client revokes each entry. */
const requests = (demo: Demo): [method: string, path: string][] => [
  ...demo.jwtAuth.map(({ identityId }): [string, string] => [
    'DELETE',
    `/api/v1/auth/jwt-auth/identities/${identityId}`,
  ]),
  ...demo.accessToken.map(({ tokenId }): [string, string] => [
    'POST',
    `/api/v1/auth/token-auth/tokens/${tokenId}/revoke`,
  ]),
  ...demo.apiKey.map(({ applicationId, keyId }): [string, string] => [
    'DELETE',
    `/api/v1/applications/${applicationId}/api-keys/${keyId}`,
  ]),
  ...demo.serviceAccountToken.map(({ serviceAccountSlug, tokenSlug }): [string, string] => [
    'DELETE',
    `/service-accounts/${serviceAccountSlug}/tokens/${tokenSlug}`,
  ]),
  ...demo.jwkValidation.map(({ projectName, username }): [string, string] => [
    'DELETE',
    `/apiops/projects/${projectName}/credentials/${username}/jwk/validation/`,
  ]),
];

test('every entry can be revoked by itself; what has nothing to revoke says so', async () => {
  const { settings, demo } = await fill();
  const { url } = await serve(settings);
  const authorization = `Bearer ${demo.callers.admin}`;
  const ask = (method: string, path: string) =>
    fetch(`${url}${path}`, { method, headers: { authorization } });
  for (const [method, path] of requests(demo)) {
    const { status } = await ask(method, path);
    expect([path, status]).toEqual([path, path.startsWith('/service-accounts') ? 204 : 200]);
  }
  const { identityId } = demo.withoutJwtAuth;
  const { projectName, username } = demo.withoutJwk;
  const credential = `/apiops/projects/${projectName}/credentials/${username}`;
  for (const [path, words] of [
    [`/api/v1/auth/jwt-auth/identities/${identityId}`, 'does not have JWT auth'],
    [`${credential}/jwk/validation`, 'does not have a JWK'],
  ] as const) {
    const answer = await ask('DELETE', path);
    expect([answer.status, await answer.text()]).toEqual([400, expect.stringContaining(words)]);
  }
});

test('a second time on the same database is refused in one sentence', async () => {
  const { settings } = await fill();
  const { code, stdout, stderr } = await gateway(settings, 'demo', '--json');
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toBe(
    'The database has an organization acme already: point DATABASE_URL to a new one.\n',
  );
});
