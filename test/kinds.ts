import type { Insertable } from 'kysely';
import type { Revocable, Tables } from '../db/tables.ts';
import { findOrganization } from '../src/credentials/find.ts';
import { type AnyCredential, credentials } from '../src/credentials/kinds.ts';
import { newRow } from '../src/credentials/row.ts';
import { hashSecret, newSecret } from '../src/secrets.ts';
import { anywhere } from '../src/verify/limits.ts';
import { deployTokenGraph } from './fixtures/deploy-token/graphql.ts';
import { deployTokenRest } from './fixtures/deploy-token/rest.ts';
import type { Harness } from './harness.ts';

/** Every kind, and a sixth beside the documented five that the project does not have. */
export const withSixth: readonly AnyCredential[] = [
  ...credentials,
  { graph: deployTokenGraph, rest: deployTokenRest },
];

/** Something that can be revoked. */
export interface Target {
  readonly input: Record<string, string>;
  /** The row that the revocation marks. */
  readonly rowId: string;
}

/** How to make one of each kind in an organization. A kind without a line here fails every test. */
const makers: Record<string, (h: Harness, organization: Revocable) => Promise<Target>> = {
  'jwt-auth': async (h, organization) => {
    const identity = await add(h, organization, 'identity');
    const auth = await addAuthMethod(h, identity, 'jwt-auth');
    await insert(h, 'jwt_auths', {
      id: auth.id,
      configuration_type: 'static',
      jwks_url: '',
      public_keys: '[]',
      bound_issuer: '',
      bound_audiences: '',
      bound_claims: '{}',
      bound_subject: '',
    });
    return { input: { identityId: identity.id }, rowId: auth.id };
  },
  'token-auth': async (h, organization) => {
    const identity = await add(h, organization, 'identity');
    const auth = await addAuthMethod(h, identity, 'token-auth');
    return { input: { identityId: identity.id }, rowId: auth.id };
  },
  'access-token': async (h, organization) => {
    const identity = await add(h, organization, 'identity');
    const auth = await addAuthMethod(h, identity, 'token-auth');
    const token = await add(h, auth, 'access-token');
    return { input: { tokenId: token.id }, rowId: token.id };
  },
  'api-key': async (h, organization) => {
    const application = await add(h, organization, 'application');
    const key = await add(h, application, 'api-key', {
      secret_hash: hashSecret(newSecret('api-key')),
    });
    return { input: { applicationId: application.id, keyId: key.id }, rowId: key.id };
  },
  'service-account-token': async (h, organization) => {
    const serviceAccountSlug = uniqueName('account');
    const account = await add(h, organization, 'service-account', { slug: serviceAccountSlug });
    const token = await add(h, account, 'service-account-token', { slug: 'the-token' });
    return { input: { serviceAccountSlug, tokenSlug: 'the-token' }, rowId: token.id };
  },
  'jwk-validation': (h, organization) => assign(h, organization, 'jwk-validation'),
  'jwk-encryption': (h, organization) => assign(h, organization, 'jwk-encryption'),
  'personal-access-token': async (h, organization) => {
    const token = await add(h, organization, 'personal-access-token');
    return { input: { personalAccessTokenId: token.id }, rowId: token.id };
  },
  'oauth-client': async (h, organization) => {
    const client = await add(h, organization, 'oauth-client', {
      permissions: '[]',
      secret_hash: hashSecret(newSecret('oauth-client')),
    });
    await insert(h, 'oauth_clients', { id: client.id, public_keys: null });
    return { input: { clientId: client.id }, rowId: client.id };
  },
  identity: async (h, organization) => {
    const { id } = await add(h, organization, 'identity');
    return { input: { identityId: id }, rowId: id };
  },
  application: async (h, organization) => {
    const { id } = await add(h, organization, 'application');
    return { input: { applicationId: id }, rowId: id };
  },
  'service-account': async (h, organization) => {
    const slug = uniqueName('account');
    const { id } = await add(h, organization, 'service-account', { slug });
    return { input: { serviceAccountSlug: slug }, rowId: id };
  },
  'gateway-credential': async (h, organization) => {
    const { names, credential } = await addProject(h, organization);
    const { projectName, username } = names;
    return { input: { projectName, username }, rowId: credential.id };
  },
  jwk: async (h, organization) => {
    const { names, jwk } = await addProject(h, organization);
    const { projectName, jwkName } = names;
    return { input: { projectName, jwkName }, rowId: jwk.id };
  },
  'enforcement-point': async (h, organization) => {
    const { id } = await add(h, organization, 'enforcement-point', {
      secret_hash: hashSecret(newSecret('enforcement-point')),
    });
    return { input: { enforcementPointId: id }, rowId: id };
  },
  'deploy-token': async (h, organization) => {
    const application = await add(h, organization, 'application');
    const token = await add(h, application, 'deploy-token');
    return { input: { deployTokenId: token.id }, rowId: token.id };
  },
};

/** An auth method that issues for two hours, for use from everywhere. */
export async function addAuthMethod(
  h: Harness,
  identity: Revocable,
  kind: 'jwt-auth' | 'token-auth',
) {
  const auth = await add(h, identity, kind);
  await insert(h, 'auth_methods', {
    id: auth.id,
    access_token_ttl_s: 7200,
    access_token_max_ttl_s: 7200,
    access_token_period_s: 0,
    access_token_num_uses_limit: 0,
    access_token_trusted_ips: JSON.stringify(anywhere),
    updated_at_ms: auth.issued_at_ms,
  });
  return auth;
}

/** A project with a gateway credential and a JWK, which is nobody's yet. */
async function addProject(h: Harness, organization: Revocable) {
  const names = { projectName: uniqueName('project'), username: 'the-user', jwkName: 'the-jwk' };
  const project = await add(h, organization, 'project', { slug: names.projectName });
  const credential = await add(h, project, 'gateway-credential', { slug: names.username });
  const jwk = await add(h, project, 'jwk', { slug: names.jwkName });
  await insert(h, 'jwks', { id: jwk.id, public_jwk: '{}', kid: '', source: 'pasted' });
  return { names, credential, jwk };
}

async function assign(h: Harness, organization: Revocable, kind: string): Promise<Target> {
  const { names, credential, jwk } = await addProject(h, organization);
  const assignment = await add(h, credential, kind);
  await insert(h, 'jwk_assignments', { id: assignment.id, jwk_id: jwk.id });
  const { projectName, username } = names;
  return { input: { projectName, username }, rowId: assignment.id };
}

let names = 0;
const uniqueName = (what: string) => `${what}-${++names}-of-a-test`;

/** Makes a target of this kind in the organization that has this slug. */
export async function makeTarget(h: Harness, kind: string, slug: string): Promise<Target> {
  const maker = makers[kind];
  if (maker === undefined) throw new Error(`test/kinds.ts does not say how to make a ${kind}`);
  return await maker(h, await organizationRow(h, slug));
}

export async function organizationRow(h: Harness, slug: string): Promise<Revocable> {
  const row = await findOrganization(h.running.database.reader, slug);
  if (row === undefined) throw new Error(`There is no organization ${slug}`);
  return row;
}

/** Adds a row below another. */
export async function add(
  h: Harness,
  parent: Revocable,
  kind: string,
  more: Partial<Revocable> = {},
): Promise<Revocable> {
  const { gateway } = h.running;
  const row = newRow({
    id: gateway.newId(),
    organization_id: parent.organization_id,
    parent_id: parent.id,
    kind,
    issued_at_ms: gateway.now(),
    ...more,
  });
  await insert(h, 'revocables', row);
  return row;
}

/** Adds a row to any table. */
export async function insert<T extends keyof Tables>(
  h: Harness,
  table: T,
  row: Insertable<Tables[T]>,
): Promise<void> {
  await h.running.gateway.writes.run(async (tx) => {
    await tx
      .insertInto(table as keyof Tables)
      .values(row as never)
      .execute();
  });
}

/** An input of the same form that names nothing. */
export function unknownInput(input: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.keys(input).map((field) => [
      field,
      field.endsWith('Id') ? '0190dead-0000-7000-8000-00000000dead' : 'nobody-has-this-name',
    ]),
  );
}

/** The path of a kind's REST route for an input. */
export function restPath({ rest }: AnyCredential, input: Record<string, string>): string {
  if (rest === undefined) throw new Error('This kind has no REST route');
  const path = rest.paths[0] ?? '';
  return path.replace(/:(\w+)/g, (_whole, param: string) =>
    encodeURIComponent(input[rest.params[param] ?? ''] ?? ''),
  );
}

/** The mutation that revokes a kind, asking for all that its result can say. */
export function mutationOf({ graph }: AnyCredential): string {
  const type = `${graph.mutation.charAt(0).toUpperCase()}${graph.mutation.slice(1)}`;
  return `mutation M($input: ${type}Input!) {
    result: ${graph.mutation}(input: $input) {
      __typename
      ... on RevocationSuccess {
        revocation { id kind target revokedAt reason comment actor revocable { id revokedAt } }
      }
      ... on Error { code message }
      ... on PermissionDeniedError { missingPermissions }
      ... on InvalidInputError { issues { path message } }
      ... on AlreadyRevokedError { revokedAt }
    }
  }`;
}
