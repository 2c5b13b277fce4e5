import { createHash, randomBytes } from 'node:crypto';
import { exportJWK, generateKeyPair } from 'jose';
import type { Insertable } from 'kysely';
import { newRow } from '../src/issue/row.ts';
import { hashSecret, newSecret, type secretPrefixes } from '../src/secrets.ts';
import type { Running } from '../src/start.ts';
import { signAccessToken } from '../src/tokens.ts';
import type { Revocable, Tables } from './tables.ts';

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
}

/** Where ids and secrets come from. */
export interface DemoSource {
  newId(): string;
  newBytes(): Buffer;
}

export interface DemoOptions {
  /** How many of each kind. */
  readonly count: number;
  readonly source: DemoSource;
  /** The environments of every project. */
  readonly environments: readonly { readonly name: string; readonly url: string }[];
}

/** Ids and secrets that nobody can guess. */
export const randomSource = (newId: () => string): DemoSource => ({
  newId,
  newBytes: () => randomBytes(32),
});

/** Ids and secrets that are the same every time: for a throwaway database on loopback alone. */
export function fixedSource(): DemoSource {
  let ids = 0;
  let secrets = 0;
  return {
    newId: () => `01900000-0000-7000-8000-${(++ids).toString(16).padStart(12, '0')}`,
    newBytes: () => createHash('sha256').update(`demo ${++secrets}`).digest(),
  };
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const ROWS_PER_INSERT = 500;

/** Fills an empty database with an organization, callers, and credentials of every kind. */
export async function fillDemo(running: Running, options: DemoOptions): Promise<Demo> {
  return await new DemoData(running, options).fill();
}

class DemoData {
  readonly #running: Running;
  readonly #options: DemoOptions;
  readonly #nowMs: number;
  readonly #rows: Revocable[] = [];
  readonly #authMethods: Insertable<Tables['auth_methods']>[] = [];
  readonly #jwtAuths: Insertable<Tables['jwt_auths']>[] = [];
  readonly #jwks: Insertable<Tables['jwks']>[] = [];
  readonly #assignments: Insertable<Tables['jwk_assignments']>[] = [];
  readonly #targets: Insertable<Tables['targets']>[] = [];
  readonly #digits: number;

  constructor(running: Running, options: DemoOptions) {
    this.#running = running;
    this.#options = options;
    this.#nowMs = running.gateway.now();
    this.#digits = Math.max(3, String(options.count).length);
  }

  async fill(): Promise<Demo> {
    const acme = this.#organization('acme');
    const globex = this.#organization('globex');
    const numbers = Array.from({ length: this.#options.count }, (_, i) => this.#number(i + 1));
    const each = <T>(make: (number: string) => Promise<T>) => inSequence(numbers, make);
    const demo: Demo = {
      organization: 'acme',
      callers: {
        admin: await this.#caller(acme, 'admin', ['organization:admin']),
        viewer: await this.#caller(acme, 'viewer', ['identity:read']),
        outsider: await this.#caller(globex, 'outsider', ['organization:admin']),
        expired: await this.#caller(acme, 'expired', ['organization:admin'], -HOUR_MS),
        personalAccessToken: this.#secret('personal-access-token', acme, {
          name: 'demo',
          permissions: JSON.stringify(['organization:admin']),
        }).secret,
      },
      jwtAuth: await each((n) => this.#jwtAuth(acme, n)),
      accessToken: await each((n) => this.#tokenAuthToken(acme, n)),
      apiKey: await each((n) => this.#apiKey(acme, n)),
      serviceAccountToken: await each((n) => this.#serviceAccountToken(acme, n)),
      jwkValidation: await each((n) => this.#jwkValidation(acme, n)),
      withoutJwtAuth: { identityId: this.#row(acme, 'identity', { name: 'without-jwt-auth' }).id },
      withoutJwk: this.#withoutJwk(acme),
    };
    await this.#insert();
    return demo;
  }

  #number(i: number): string {
    return String(i).padStart(this.#digits, '0');
  }

  #row(parent: Revocable, kind: string, more: Partial<Revocable> = {}): Revocable {
    const row = newRow({
      id: this.#options.source.newId(),
      organization_id: parent.organization_id,
      parent_id: parent.id,
      kind,
      issued_at_ms: this.#nowMs,
      ...more,
    });
    this.#rows.push(row);
    return row;
  }

  #organization(slug: string): Revocable {
    const id = this.#options.source.newId();
    const row = newRow({
      id,
      organization_id: id,
      kind: 'organization',
      issued_at_ms: this.#nowMs,
      slug,
      name: slug,
    });
    this.#rows.push(row);
    return row;
  }

  #secret(kind: keyof typeof secretPrefixes, parent: Revocable, more: Partial<Revocable> = {}) {
    const secret = newSecret(kind, this.#options.source.newBytes());
    const row = this.#row(parent, kind, { ...more, secret_hash: hashSecret(secret) });
    return { id: row.id, secret };
  }

  async #token(parent: Revocable, subject: string, more: Partial<Revocable>, ttlMs: number) {
    const row = this.#row(parent, 'access-token', { ...more, name: more.name ?? null });
    row.expires_at_ms = this.#nowMs + ttlMs;
    const token = await signAccessToken(this.#running.gateway, {
      id: row.id,
      subject,
      organization: this.#rows.find(({ id }) => id === row.organization_id)?.slug ?? '',
      permissions: row.permissions === null ? [] : (JSON.parse(row.permissions) as string[]),
      issuedAtMs: ttlMs < 0 ? this.#nowMs + 2 * ttlMs : this.#nowMs,
      expiresAtMs: row.expires_at_ms,
    });
    row.secret_hash = hashSecret(token);
    return { id: row.id, token };
  }

  async #caller(parent: Revocable, name: string, permissions: string[], ttlMs = DAY_MS) {
    const more = { name, permissions: JSON.stringify(permissions) };
    return (await this.#token(parent, name, more, ttlMs)).token;
  }

  async #jwtAuth(parent: Revocable, n: string) {
    const identity = this.#row(parent, 'identity', { name: `deployer-${n}` });
    const auth = this.#row(identity, 'jwt-auth');
    this.#authMethods.push(authMethod(auth));
    this.#jwtAuths.push({
      id: auth.id,
      configuration_type: 'jwks',
      jwks_url: 'https://issuer.example.com/.well-known/jwks.json',
      public_keys: '[]',
      bound_issuer: 'https://issuer.example.com',
      bound_audiences: 'acme-deployments',
      bound_claims: JSON.stringify({ environment: 'production' }),
      bound_subject: '',
    });
    const { token } = await this.#token(auth, identity.id, {}, DAY_MS);
    return { identityId: identity.id, accessToken: token };
  }

  async #tokenAuthToken(parent: Revocable, n: string) {
    const identity = this.#row(parent, 'identity', { name: `runner-${n}` });
    const auth = this.#row(identity, 'token-auth');
    this.#authMethods.push(authMethod(auth));
    const { id, token } = await this.#token(auth, identity.id, {}, DAY_MS);
    return { tokenId: id, token };
  }

  async #apiKey(parent: Revocable, n: string) {
    const application = this.#row(parent, 'application', { name: `application-${n}` });
    const { id, secret } = this.#secret('api-key', application, { name: `key-${n}` });
    return { applicationId: application.id, keyId: id, key: secret };
  }

  async #serviceAccountToken(parent: Revocable, n: string) {
    const serviceAccountSlug = `service-account-${n}`;
    const account = this.#row(parent, 'service-account', {
      slug: serviceAccountSlug,
      name: serviceAccountSlug,
    });
    const tokenSlug = `token-${n}`;
    const { secret } = this.#secret('service-account-token', account, {
      slug: tokenSlug,
      name: tokenSlug,
      permissions: JSON.stringify(['read:tokens']),
    });
    return { serviceAccountSlug, tokenSlug, token: secret };
  }

  async #jwkValidation(parent: Revocable, n: string) {
    const projectName = `project-${n}`;
    const username = `username-${n}`;
    const jwkName = `jwk-${n}`;
    const project = await this.#project(parent, projectName);
    const credential = this.#row(project, 'gateway-credential', { slug: username, name: username });
    const jwk = this.#row(project, 'jwk', { slug: jwkName, name: jwkName });
    this.#jwks.push({ id: jwk.id, public_jwk: await publicJwk(jwkName) });
    for (const use of ['jwk-validation', 'jwk-encryption']) {
      const assignment = this.#row(credential, use, { name: jwkName });
      this.#assignments.push({ id: assignment.id, jwk_id: jwk.id });
    }
    return { projectName, username, jwkName };
  }

  #withoutJwk(parent: Revocable) {
    const names = { projectName: 'bare', username: 'keyless' };
    const project = this.#row(parent, 'project', { slug: names.projectName, name: 'bare' });
    this.#row(project, 'gateway-credential', { slug: names.username, name: names.username });
    return names;
  }

  async #project(parent: Revocable, slug: string): Promise<Revocable> {
    const project = this.#row(parent, 'project', { slug, name: slug });
    for (const { name, url } of this.#options.environments) {
      const secret = `whsec_${this.#options.source.newBytes().toString('base64')}`;
      this.#targets.push({
        id: this.#options.source.newId(),
        organization_id: project.organization_id,
        kind: 'environment',
        scope_id: project.id,
        name,
        url,
        secret_jwe: await this.#running.secretKey.seal(secret),
        created_at_ms: this.#nowMs,
        removed_at_ms: null,
      });
    }
    return project;
  }

  async #insert(): Promise<void> {
    await this.#running.gateway.writes.run(async (tx) => {
      const insert = async <T extends keyof Tables>(table: T, rows: Insertable<Tables[T]>[]) => {
        for (let i = 0; i < rows.length; i += ROWS_PER_INSERT) {
          await tx
            .insertInto(table)
            .values(rows.slice(i, i + ROWS_PER_INSERT) as never)
            .execute();
        }
      };
      await insert('revocables', this.#rows);
      await insert('auth_methods', this.#authMethods);
      await insert('jwt_auths', this.#jwtAuths);
      await insert('jwks', this.#jwks);
      await insert('jwk_assignments', this.#assignments);
      await insert('targets', this.#targets);
    });
  }
}

async function inSequence<T>(
  numbers: readonly string[],
  make: (number: string) => Promise<T>,
): Promise<T[]> {
  const made: T[] = [];
  for (const number of numbers) made.push(await make(number));
  return made;
}

const authMethod = ({ id, issued_at_ms }: Revocable): Insertable<Tables['auth_methods']> => ({
  id,
  access_token_ttl_s: 86_400,
  access_token_max_ttl_s: 86_400,
  access_token_period_s: 0,
  access_token_num_uses_limit: 0,
  access_token_trusted_ips: JSON.stringify([
    { ipAddress: '0.0.0.0', type: 'ipv4', prefix: 0 },
    { ipAddress: '::', type: 'ipv6', prefix: 0 },
  ]),
  updated_at_ms: issued_at_ms,
});

async function publicJwk(kid: string): Promise<string> {
  const { publicKey } = await generateKeyPair('ES256');
  return JSON.stringify({ ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' });
}
