import type { LogEvent } from 'kysely';
import { expect } from 'vitest';
import { credentials } from '../src/credentials/kinds.ts';
import { assign, makeCredential, makeJwk, names } from './assigned.ts';
import { ask } from './creation.ts';
import { creations } from './creations.ts';
import { type Harness, openGateway } from './harness.ts';
import { accessTokenOf, addIdentity, newToken, withJwtAuth, withTokenAuth } from './identities.ts';
import { makeKey, sign, trusting } from './issuers.ts';
import { makeTarget, mutationOf, restPath, unknownInput } from './kinds.ts';
import { assignedJwt, clientWith, clientWithKeys, type Client } from './oauth-clients.ts';

/** Every query that clients can cause. */

/** Lists and single items of everything that the graph shows. */
export const everything = `query ($id: ID!, $after: String, $ledgerAfter: String) { me {
  node(id: $id) { id }
  revocation(id: $id) { id }
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
  oauthClients { edges { node { id } } }
  accessTokens { edges { node { id } } }
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
  const h = await openGateway({ log, environments, config: { trustedIssuers, outboundAllow } });
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
  await askLists(h, record);
  await record(() => h.rest('GET', '/health/ready'));
  return { h, queries };
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
    const { input } = await makeTarget(h, kind, 'acme');
    for (const given of [told[kind] ?? {}, input, input, unknownInput(input)]) {
      if (Object.keys(given).length === 0) continue;
      await record(() => h.graphql(mutationOf(credential), { input: given }, h.demo.callers.admin));
    }
    if (credential.rest === undefined) continue;
    const { method } = credential.rest;
    await record(() => h.rest(method, restPath(credential, input), h.demo.callers.admin));
  }
}

async function askCreations(h: Harness, record: Record) {
  for (const [i, creation] of creations.entries()) {
    // Names are given once in an organization.
    const { input } = await creation.arrange(h, i % 2 === 0 ? 'acme' : 'globex').catch(() => {
      throw new Error(`${creation.mutation} cannot be arranged`);
    });
    const token = i % 2 === 0 ? h.demo.callers.admin : h.demo.callers.outsider;
    await record(() => ask(h, creation, input, token));
    await record(() => ask(h, creation, input, token));
  }
}
