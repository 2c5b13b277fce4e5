import { exportJWK, generateKeyPair } from 'jose';
import type { Running } from '../src/start.ts';
import { DemoRows, type DemoSource } from './demo-rows.ts';
import type { Revocable } from './tables.ts';

/** The demo data as `demo --json` prints it. */
export interface Demo {
  organization: string;
  callers: {
    admin: string;
    viewer: string;
    outsider: string;
    expired: string;
    personalAccessToken: string;
  };
  jwtAuth: { identityId: string; accessToken: string }[];
  accessToken: { tokenId: string; token: string }[];
  apiKey: { applicationId: string; keyId: string; key: string }[];
  serviceAccountToken: { serviceAccountSlug: string; tokenSlug: string; token: string }[];
  jwkValidation: { projectName: string; username: string; jwkName: string }[];
  withoutJwtAuth: { identityId: string };
  withoutJwk: { projectName: string; username: string };
  /** May ask about and revoke everything in the organization. */
  oauthClient: { clientId: string; clientSecret: string };
  /** May ask, and revoke nothing but its own. */
  limitedOauthClient: { clientId: string; clientSecret: string };
}

export interface DemoOptions {
  /** How many of each kind. */
  readonly count: number;
  readonly source: DemoSource;
  /** The environments of every project. */
  readonly environments: readonly { readonly name: string; readonly url: string }[];
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const DAY_S = 86_400;

/** Fills an empty database with an organization, callers, and credentials of every kind. */
export async function fillDemo(running: Running, options: DemoOptions): Promise<Demo> {
  const rows = new DemoRows(running, options.source);
  const acme = rows.organization('acme');
  const globex = rows.organization('globex');
  const everything = ['organization:admin'];
  const { secret: personalAccessToken } = rows.secret('personal-access-token', acme, {
    name: 'demo',
    permissions: JSON.stringify(everything),
  });
  const demo: Omit<Demo, 'oauthClient' | 'limitedOauthClient'> = {
    organization: 'acme',
    callers: {
      admin: (await rows.token(acme, 'admin', DAY_MS, everything)).token,
      viewer: (await rows.token(acme, 'viewer', DAY_MS, ['identity:read'])).token,
      outsider: (await rows.token(globex, 'outsider', DAY_MS, everything)).token,
      expired: (await rows.token(acme, 'expired', -HOUR_MS, everything)).token,
      personalAccessToken,
    },
    jwtAuth: [],
    accessToken: [],
    apiKey: [],
    serviceAccountToken: [],
    jwkValidation: [],
    withoutJwtAuth: { identityId: rows.row(acme, 'identity', { name: 'without-jwt-auth' }).id },
    withoutJwk: await addWithoutJwk(rows, acme, options),
  };
  const digits = Math.max(3, String(options.count).length);
  for (let i = 1; i <= options.count; i++) {
    // Of one length, so that no name is part of another.
    const n = String(i).padStart(digits, '0');
    demo.jwtAuth.push(await addJwtAuth(rows, acme, n));
    demo.accessToken.push(await addAccessToken(rows, acme, n));
    demo.apiKey.push(addApiKey(rows, acme, n));
    demo.serviceAccountToken.push(addServiceAccountToken(rows, acme, n));
    demo.jwkValidation.push(await addJwkValidation(rows, acme, n, options));
  }
  // Last, so that the secrets of all others are what they were without them.
  const filled: Demo = {
    ...demo,
    oauthClient: rows.oauthClient(acme, 'demo client', everything),
    limitedOauthClient: rows.oauthClient(acme, 'limited client', ['credential:introspect']),
  };
  await rows.insert();
  return filled;
}

async function addJwtAuth(rows: DemoRows, parent: Revocable, n: string) {
  const identity = rows.row(parent, 'identity', { name: `deployer-${n}` });
  const auth = addAuthMethod(rows, identity, 'jwt-auth');
  rows.detail('jwt_auths', {
    id: auth.id,
    configuration_type: 'jwks',
    jwks_url: 'https://issuer.example.com/.well-known/jwks.json',
    public_keys: '[]',
    bound_issuer: 'https://issuer.example.com',
    bound_audiences: 'acme-deployments',
    bound_claims: JSON.stringify({ environment: 'production' }),
    bound_subject: '',
  });
  const { token } = await rows.token(auth, identity.id, DAY_MS);
  return { identityId: identity.id, accessToken: token };
}

async function addAccessToken(rows: DemoRows, parent: Revocable, n: string) {
  const identity = rows.row(parent, 'identity', { name: `runner-${n}` });
  const auth = addAuthMethod(rows, identity, 'token-auth');
  const { id, token } = await rows.token(auth, identity.id, DAY_MS);
  return { tokenId: id, token };
}

function addAuthMethod(rows: DemoRows, identity: Revocable, kind: string): Revocable {
  const auth = rows.row(identity, kind);
  rows.detail('auth_methods', {
    id: auth.id,
    access_token_ttl_s: DAY_S,
    access_token_max_ttl_s: DAY_S,
    access_token_period_s: 0,
    access_token_num_uses_limit: 0,
    access_token_trusted_ips: JSON.stringify([
      { ipAddress: '0.0.0.0', type: 'ipv4', prefix: 0 },
      { ipAddress: '::', type: 'ipv6', prefix: 0 },
    ]),
    updated_at_ms: rows.nowMs,
  });
  return auth;
}

function addApiKey(rows: DemoRows, parent: Revocable, n: string) {
  const application = rows.row(parent, 'application', { name: `application-${n}` });
  const { id, secret } = rows.secret('api-key', application, { name: `key-${n}` });
  return { applicationId: application.id, keyId: id, key: secret };
}

function addServiceAccountToken(rows: DemoRows, parent: Revocable, n: string) {
  const serviceAccountSlug = `service-account-${n}`;
  const account = addNamed(rows, parent, 'service-account', serviceAccountSlug);
  const tokenSlug = `token-${n}`;
  const { secret } = rows.secret('service-account-token', account, {
    slug: tokenSlug,
    name: tokenSlug,
    permissions: JSON.stringify(['read:tokens']),
  });
  return { serviceAccountSlug, tokenSlug, token: secret };
}

async function addJwkValidation(
  rows: DemoRows,
  parent: Revocable,
  n: string,
  options: DemoOptions,
) {
  const names = { projectName: `project-${n}`, username: `username-${n}`, jwkName: `jwk-${n}` };
  const project = await addProject(rows, parent, names.projectName, options);
  const credential = addNamed(rows, project, 'gateway-credential', names.username);
  const jwk = addNamed(rows, project, 'jwk', names.jwkName);
  rows.detail('jwks', {
    id: jwk.id,
    public_jwk: await publicJwk(names.jwkName),
    kid: names.jwkName,
    source: 'pasted',
  });
  for (const use of ['jwk-validation', 'jwk-encryption']) {
    const assignment = rows.row(credential, use, { name: names.jwkName });
    rows.detail('jwk_assignments', { id: assignment.id, jwk_id: jwk.id });
  }
  return names;
}

async function addWithoutJwk(rows: DemoRows, parent: Revocable, options: DemoOptions) {
  const names = { projectName: 'bare', username: 'keyless' };
  const project = await addProject(rows, parent, names.projectName, options);
  addNamed(rows, project, 'gateway-credential', names.username);
  return names;
}

async function addProject(
  rows: DemoRows,
  parent: Revocable,
  name: string,
  { environments }: DemoOptions,
): Promise<Revocable> {
  const project = addNamed(rows, parent, 'project', name);
  for (const environment of environments) {
    await rows.environment(project, environment.name, environment.url);
  }
  return project;
}

const addNamed = (rows: DemoRows, parent: Revocable, kind: string, slug: string) =>
  rows.row(parent, kind, { slug, name: slug });

async function publicJwk(kid: string): Promise<string> {
  const { publicKey } = await generateKeyPair('ES256');
  return JSON.stringify({ ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' });
}
