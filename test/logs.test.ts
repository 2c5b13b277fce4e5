import { describe, expect, test } from 'vitest';
import { ask } from './creation.ts';
import { creationOf, creations } from './creations.ts';
import { past } from './engine.ts';
import { acknowledge, followFeed, isPosition, makePoint } from './feed-client.ts';
import { graphqlWays } from './graphql-ways.ts';
import type { HarnessOptions } from './harness.ts';
import { revokeMany } from './many.ts';
import { basic, bearer, post, serveTrusting, tokenOf, values } from './oauth-clients.ts';
import { until } from './targets.ts';

/** The line that the log has of each request: who asked for what, and what came of it. */

interface Line {
  readonly msg: string;
  readonly reqId?: string;
  readonly route?: string;
  readonly [name: string]: unknown;
}

async function openLogged(options: HarnessOptions = {}) {
  const text: string[] = [];
  const h = await serveTrusting({
    ...options,
    config: { logLevel: 'trace', ...options.config },
    logTo: { write: (line) => text.push(line) },
  });
  const lines = () =>
    text.map((line) => {
      // What is said twice is not what was written.
      expect(`${JSON.stringify(JSON.parse(line))}\n`).toBe(line);
      return JSON.parse(line) as Line;
    });
  /** The line of the last request on a route. */
  const lineOf = (route: string) =>
    until(() => {
      const found = lines().findLast((line) => line.route === route && line.msg === 'answered');
      expect(found).toBeDefined();
      return found as Line;
    });
  return { h, lines, lineOf, text: () => text.join('') };
}

const who = (line: Line) => [line.actor, line.credential, line.organization];

test('a path of a product: the caller, the credential and the outcome', async () => {
  const { h, lineOf } = await openLogged();
  const { applicationId, keyId } = h.demo.apiKey[0] ?? {};
  const path = `/api/v1/applications/${applicationId}/api-keys/${keyId}`;
  const route = '/api/v1/applications/:id/api-keys/:keyId';
  const { personalAccessToken, expired } = h.demo.callers;
  const rows = await h.rows();
  const { id, name } = rows.find(({ kind }) => kind === 'personal-access-token') ?? {};
  const done = await h.rest('DELETE', path, personalAccessToken);
  const line = await lineOf(route);
  expect(who(line)).toEqual([name, id, 'acme']);
  expect(line).toMatchObject({ method: 'DELETE', status: 200 });
  expect(line.reqId).toBe(done.headers['x-request-id']);
  await h.rest('DELETE', path, personalAccessToken);
  expect(await lineOf(route)).toMatchObject({
    status: 404,
    refusal: 'ALREADY_REVOKED',
    actor: name,
  });
  await h.rest('DELETE', path, expired);
  const unknown = await lineOf(route);
  expect(unknown).toMatchObject({ status: 401, refusal: 'UNAUTHENTICATED', reason: 'expired' });
  expect(who(unknown)).toEqual([undefined, undefined, undefined]);
  // A JWT of an issuer outside is no credential of this gateway.
  const trusted = await h.trusted();
  await h.rest('GET', '/api/v1/applications/x/api-keys', trusted);
  const foreign = await lineOf('/api/v1/applications/:id/api-keys');
  expect(foreign.credential).toBeUndefined();
  expect(foreign).toMatchObject({ actor: expect.any(String), organization: 'acme' });
});

test('OAuth: the client, or whose token it is', async () => {
  const { h, lineOf } = await openLogged();
  const client = h.demo.oauthClient;
  await post(h, 'introspect', { token: 'x' }, basic(client));
  const [, id] = who(await lineOf('/oauth/introspect'));
  expect(id).toBe(client.clientId);
  await post(h, 'revoke', { token: 'x' }, bearer(h.demo.callers.personalAccessToken));
  expect(await lineOf('/oauth/revoke')).toMatchObject({
    organization: 'acme',
    refusal: 'NOT_FOUND',
  });
  await post(
    h,
    'token',
    { grant_type: 'client_credentials' },
    basic({ ...client, clientSecret: 'x' }),
  );
  const refused = await lineOf('/oauth/token');
  expect([refused.refusal, ...who(refused)]).toEqual([
    'UNAUTHENTICATED',
    ...[undefined, undefined, undefined],
  ]);
});

test('the feed: which point', async () => {
  const { h, lines, lineOf } = await openLogged();
  const point = await makePoint(h);
  expect((await acknowledge(h.url, point.token, { seq: 1 })).status).toBe(204);
  expect((await lineOf('/feed/acknowledgement')).credential).toBe(point.id);
  const feed = await followFeed(h.url, point.token);
  await feed.until(isPosition);
  feed.close();
  await until(() =>
    expect(lines().find(({ route }) => route === '/feed')?.credential).toBe(point.id),
  );
});

describe.each(graphqlWays)('GraphQL through $way', (options) => {
  test('the mutations, and what came of each', async () => {
    const { h, lineOf } = await openLogged(options);
    const { applicationId, keyId } = h.demo.apiKey[0] ?? {};
    const revoke = `revokeApiKey(input: { applicationId: "${applicationId}", keyId: "${keyId}" }) { __typename }`;
    const query = `mutation Two { a: ${revoke} b: ${revoke} createApplication(input: { name: "" }) { __typename } }`;
    await h.graphql(query, {}, h.demo.callers.admin);
    const line = await lineOf('/graphql');
    expect(line.mutations).toEqual([
      { name: 'revokeApiKey', outcome: 'DONE' },
      { name: 'revokeApiKey', outcome: 'ALREADY_REVOKED' },
      { name: 'createApplication', outcome: 'INVALID_INPUT' },
    ]);
    expect(line).toMatchObject({ actor: 'admin', organization: 'acme', status: 200 });
    await h.graphql(query);
    const unknown = await lineOf('/graphql');
    expect(unknown).toMatchObject({ refusal: 'UNAUTHENTICATED', reason: 'missing' });
    expect(unknown.mutations).toHaveLength(3);
    await h.graphql('{ me { name } }', {}, h.demo.callers.admin);
    expect((await lineOf('/graphql')).mutations).toBeUndefined();
  });

  test('a fault is said to have failed, and a flood of mutations is cut off', async () => {
    const { h, lineOf } = await openLogged(options);
    const other = await past(h.folder);
    await other.all('alter table ledger rename to ledger_away');
    const made = 'createApplication(input: { name: "a" }) { __typename }';
    await h.graphql(`mutation { ${made} }`, {}, h.demo.callers.admin);
    expect((await lineOf('/graphql')).mutations).toEqual([
      { name: 'createApplication', outcome: 'FAILED' },
    ]);
    await other.all('alter table ledger_away rename to ledger');
    const many = Array.from({ length: 30 }, (_, i) => `m${i}: ${made}`);
    await h.graphql(`mutation { ${many.join(' ')} }`, {}, h.demo.callers.admin);
    expect((await lineOf('/graphql')).mutations).toHaveLength(20);
  });
});

/** Every secret that a gateway can give. */
async function secretsOf(h: Awaited<ReturnType<typeof openLogged>>['h']): Promise<string[]> {
  const secrets = [h.demo.callers.admin, await tokenOf(h, h.demo.oauthClient)];
  for (const make of Object.values(values)) secrets.push(await make(h));
  for (const [i, creation] of creations.entries()) {
    const slug = `tenant-${i}`;
    const { secret: admin } = await ask(h, creationOf('createOrganization'), { slug });
    const { input } = await creation.arrange(h, slug);
    const { secret } = await ask(h, creation, input, admin);
    for (const given of [admin, secret]) if (given !== undefined) secrets.push(given);
  }
  return secrets;
}

test('whatever is sent, and wherever, no secret is in the log', async () => {
  const { h, text } = await openLogged();
  const secrets = await secretsOf(h);
  expect(secrets.length).toBeGreaterThan(20);
  for (const secret of secrets) {
    const fields = `applicationId: "${secret}", keyId: "x", comment: "${secret}"`;
    await h.rest('DELETE', `/service-accounts/${secret}/tokens/${secret}?t=${secret}`, secret);
    await h.rest('GET', `/${secret}`, secret, { headers: { cookie: secret, referer: secret } });
    await post(h, 'introspect', { token: secret, client_secret: secret }, bearer(secret));
    await post(h, 'introspect', { token: secret }, basic(h.demo.oauthClient));
    await post(h, 'token', { client_id: secret, client_secret: secret, scope: secret });
    await (await fetch(`${h.url}/feed`, { headers: bearer(secret) })).body?.cancel();
    const query = `mutation { revokeApiKey(input: { ${fields} }) { __typename } }`;
    await h.graphql(query, {}, secret);
    await h.graphql(query, {}, h.demo.callers.admin);
    await h.graphql(secret, { [secret]: secret }, h.demo.callers.admin);
    await revokeMany(h, { kind: 'API_KEY', ids: [secret] });
    await post(h, 'revoke', { token: secret }, basic(h.demo.oauthClient));
  }
  expect(text().length).toBeGreaterThan(100_000);
  expect(secrets.filter((secret) => text().includes(secret))).toEqual([]);
}, 60_000);
