import { setTimeout } from 'node:timers/promises';
import type { LogEvent } from 'kysely';
import { expect } from 'vitest';
import { readConfig } from '../src/config.ts';
import { credentials } from '../src/credentials/kinds.ts';
import { SCAN_MS } from '../src/delivery/deliver.ts';
import { ATTEMPTS_MAX } from '../src/delivery/retry.ts';
import { kindValue } from '../src/graphql/types.ts';
import { ASSERTION_TYPE } from '../src/oauth/assertion.ts';
import { createObservability } from '../src/observability/observability.ts';
import { readOutbox } from '../src/observability/outbox.ts';
import { ask } from './creation.ts';
import { creationOf, creations } from './creations.ts';
import { acknowledge, followFeed, listenOn, makePoint } from './feed-client.ts';
import { type Harness, openGateway } from './harness.ts';
import { newToken, withJwtAuth, withTokenAuth } from './identities.ts';
import { makeKey, sign, trusting } from './issuers.ts';
import { makeTarget, mutationOf, restPath, unknownInput } from './kinds.ts';
import { revokeMany } from './many.ts';
import { assignedJwt, type Client, clientWith, clientWithKeys } from './oauth-clients.ts';
import { askRetention } from './retention.ts';
import { askSubscription } from './subscription-queries.ts';

/** Every query that clients can cause. */

/** Lists and single items of everything that the graph shows. */
export const everything = `query ($id: ID!, $after: String, $ledgerAfter: String) { me {
  node(id: $id) { id }
  archivedUntil revocation(id: $id) { id }
  revocations(first: 2, after: $after) { edges { node { id revocable { id } } } }
  ledger(first: 2, after: $ledgerAfter) { edges { node { id } } }
  identities(first: 2, after: $after) { edges { node {
    jwtAuths { edges { node { jwksUrl accessTokenTTL
      accessTokens(last: 1) { edges { node { id numUses } } } } } }
    tokenAuths { edges { node { accessTokenTTL
      accessTokens(first: 1) { edges { node { id numUses } } } } } }
  } } }
  applications { edges { node { apiKeys { edges { node { id } } } } } }
  serviceAccounts { edges { node { tokens { edges { node { id } } } } } }
  projects { edges { node {
    environments { id }
    jwks { edges { node { id } } }
    credentials { edges { node {
      jwkValidations { edges { node { id } } } jwkEncryptions { edges { node { id } } }
    } } }
  } } }
  personalAccessTokens { edges { node { id } } }
  enforcementPoints { edges { node { id } } }
  oauthClients { edges { node { id } } }
  accessTokens { edges { node { id } } }
  targets(first: 9, after: $after) { edges { node {
    id state pending stuck oldestPendingAt lastError
    stuckDeliveries { edges { node { revocationId } } }
    timeToEffect { count p50Ms }
  } } }
} }`;

/** A gateway, and each query that it made once clients had asked for all, with parameters of one run. */
export async function queriesOfEverything() {
  const queries = new Map<string, readonly unknown[]>();
  let recording = false;
  const log = (event: LogEvent) => {
    if (recording && !/^(begin|commit|rollback|release|savepoint)/.test(event.query.sql)) {
      queries.set(event.query.sql, event.query.parameters);
    }
  };
  const key = await makeKey();
  const { trustedIssuers, outboundAllow } = trusting({ keys: [key.jwk] });
  const environments = [{ name: 'production', url: 'http://127.0.0.1:9/' }];
  const config = { trustedIssuers, outboundAllow, effectBoundMs: 100 };
  const { observe } = createObservability({ ...readConfig({}), metricsPort: 0 });
  const h = await openGateway({ log, environments, config, observe });
  /** Keeps the queries of what clients ask for, and not of what it needs. */
  const record = async <T>(asked: () => Promise<T>): Promise<T> => {
    recording = true;
    const answered = await asked();
    recording = false;
    return answered;
  };
  await askRoutes(h, record);
  await askOauth(h, record, await sign(key));
  await askCreations(h, record);
  await askRevocations(h, record);
  await askFeed(h, record);
  await askLists(h, record);
  await askSubscription(h, record);
  await record(() => h.rest('GET', '/health/ready'));
  await record(() => readOutbox(h.running.database.reader));
  await failForGood(h, record);
  await askRetention(h, record);
  return { h, queries };
}

/** Lets what fails be late, and then be stuck. */
async function failForGood(h: Harness, record: Record) {
  await record(() => setTimeout(SCAN_MS + 200));
  await h.running.gateway.writes.run(async (tx) => {
    const last = { attempts: ATTEMPTS_MAX - 1, next_attempt_at_ms: null };
    await tx.updateTable('deliveries').set(last).where('last_error', 'is not', null).execute();
  });
  await record(() => setTimeout(SCAN_MS + 200));
  const actions = (await h.ledger()).map(({ action }) => action);
  expect(actions).toEqual(expect.arrayContaining(['late', 'stuck']));
}

type Record = <T>(asked: () => Promise<T>) => Promise<T>;

async function askRevocations(h: Harness, record: Record) {
  const { projectName = '', username = '', jwkName = '' } = h.demo.jwkValidation[0] ?? {};
  const told: { [kind: string]: { [field: string]: string } } = {
    'jwk-validation': { projectName, username },
    jwk: { projectName, jwkName },
  };
  for (const credential of credentials) {
    const { kind } = credential.graph;
    const { input, rowId } = await makeTarget(h, kind, 'acme');
    for (const given of [told[kind] ?? {}, input, input, unknownInput(input)]) {
      if (Object.keys(given).length === 0) continue;
      await record(() => h.graphql(mutationOf(credential), { input: given }, h.demo.callers.admin));
    }
    await record(() => revokeMany(h, { kind: kindValue(kind), ids: [rowId] }));
    if (credential.rest === undefined) continue;
    const { method } = credential.rest;
    await record(() => h.rest(method, restPath(credential, input), h.demo.callers.admin));
  }
}

async function askCreations(h: Harness, record: Record) {
  for (const [i, creation] of creations.entries()) {
    // What is made has names, which are taken once only in an organization.
    const slug = `tenant-${i}`;
    const { secret } = await ask(h, creationOf('createOrganization'), { slug });
    const { input } = await creation.arrange(h, slug);
    for (let times = 0; times < 2; times++) await record(() => ask(h, creation, input, secret));
  }
}

/** What the parameters of the paths are, and what bodies say that want more. */
async function namesOf(h: Harness): Promise<{ [name: string]: string }> {
  const { serviceAccountSlug = '' } = h.demo.serviceAccountToken[0] ?? {};
  const { applicationId = '' } = h.demo.apiKey[0] ?? {};
  const identityId = await withTokenAuth(h);
  const { id: tokenId } = await newToken(h, identityId);
  return {
    ...{ id: applicationId, serviceAccountSlug, identityId, tokenId },
    ...h.demo.jwkValidation[0],
  };
}

async function askRoutes(h: Harness, record: Record) {
  const given = await namesOf(h);
  const key = await makeKey();
  const identityId = await withJwtAuth(h, key);
  const said = { name: 'made', scopes: ['read:tokens'], identityId, jwt: await sign(key) };
  const body = {
    headers: { 'content-type': 'application/json' },
    payload: JSON.stringify(said),
  };
  for (const { method, paths } of credentials.flatMap(({ routes = [] }) => routes)) {
    const path = (paths[0] ?? '').replace(/:(\w+)/g, (_whole, name: string) => {
      const value = given[name];
      if (value === undefined) throw new Error(`What is ${name} in ${paths[0]}?`);
      return value;
    });
    const more = method === 'GET' ? {} : body;
    const { status } = await record(() => h.rest(method, path, h.demo.callers.admin, more));
    expect([path, Math.floor(status / 100)]).toEqual([path, 2]);
  }
}

/** Sends a form to an OAuth endpoint; it must be accepted. */
async function post(h: Harness, endpoint: string, form: object, by: Client | string) {
  const said = { ...form, ...(typeof by === 'string' && assertionOf(by)) };
  const basic = typeof by === 'string' ? undefined : btoa(`${by.clientId}:${by.clientSecret}`);
  const { status } = await h.rest('POST', `/oauth/${endpoint}`, undefined, {
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      ...(basic !== undefined && { authorization: `Basic ${basic}` }),
    },
    payload: new URLSearchParams(said as { [name: string]: string }).toString(),
  });
  expect([endpoint, status]).toEqual([endpoint, 200]);
}

const assertionOf = (client_assertion: string) => ({
  client_assertion,
  client_assertion_type: ASSERTION_TYPE,
});

async function askOauth(h: Harness, record: Record, trusted: string) {
  const client = await clientWith(h, ['credential:introspect', 'organization:admin']);
  const key = await makeKey();
  const clientId = await clientWithKeys(h, key.jwk);
  const assertion = await sign(key, {
    ...{ iss: clientId, sub: clientId, aud: h.running.gateway.publicUrl, jti: 'assertion' },
    exp: Math.floor(Date.now() / 1000) + 60,
  });
  const limited = await newToken(h, await withTokenAuth(h, { accessTokenNumUsesLimit: 9 }));
  const { token: assigned } = await assignedJwt(h);

  await record(() => post(h, 'token', { grant_type: 'client_credentials' }, assertion));
  await record(() => post(h, 'token', { grant_type: 'client_credentials' }, client));
  await record(() => h.graphql('{ me { name } }', {}, limited.token));
  for (const token of [limited.token, trusted, assigned, 'unknown']) {
    await record(() => post(h, 'introspect', { token }, client));
    await record(() => post(h, 'revoke', { token }, client));
  }
  for (const path of ['/.well-known/jwks.json', '/.well-known/oauth-authorization-server']) {
    await record(() => h.rest('GET', path));
  }
}

async function askFeed(h: Harness, record: Record) {
  const url = await listenOn(h);
  const point = await makePoint(h);
  await withTokenAuth(h, { accessTokenTrustedIps: ['10.0.0.0/8'] });
  await record(async () => {
    const feed = await followFeed(url, point.token);
    await feed.until(({ event }) => event === 'position');
    await withTokenAuth(h, { accessTokenTrustedIps: ['10.0.0.0/8'] });
    const { data } = await feed.until(({ event }) => event === 'change');
    const { status } = await acknowledge(url, point.token, { seq: data.seq });
    expect(status).toBe(204);
    const form = { headers: { authorization: `Bearer ${point.token}` }, method: 'POST' };
    const body = new URLSearchParams({ token: point.token });
    expect((await fetch(`${url}/oauth/introspect`, { ...form, body })).status).toBe(200);
    feed.close();
    await feed.ended;
    const resumed = await followFeed(url, point.token, { after: feed.told.at(-1)?.id });
    await resumed.until(({ event }) => event === 'position');
    resumed.close();
    await resumed.ended;
  });
}

async function askLists(h: Harness, record: Record) {
  const id = h.demo.accessToken[0]?.tokenId;
  for (const after of [undefined, id]) {
    const variables = { id, after, ledgerAfter: after && '3' };
    const { errors } = await record(() => h.graphql(everything, variables, h.demo.callers.admin));
    expect(errors).toBeUndefined();
  }
}
