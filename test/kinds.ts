import type { Revocable } from '../db/tables.ts';
import { findOrganization } from '../src/credentials/find.ts';
import { type AnyCredential, credentials } from '../src/credentials/kinds.ts';
import { newRow } from '../src/credentials/row.ts';
import { hashSecret, newSecret } from '../src/secrets.ts';
import { deployTokenGraph } from './fixtures/deploy-token/graphql.ts';
import { deployTokenRest } from './fixtures/deploy-token/rest.ts';
import type { Harness } from './harness.ts';

/** The five kinds and personal access tokens, and a sixth that the project does not have. */
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
    const auth = await add(h, identity, 'jwt-auth');
    await h.running.gateway.writes.run(async (tx) => {
      await tx
        .insertInto('auth_methods')
        .values({
          id: auth.id,
          access_token_ttl_s: 7200,
          access_token_max_ttl_s: 7200,
          access_token_period_s: 0,
          access_token_num_uses_limit: 0,
          access_token_trusted_ips: '[]',
          updated_at_ms: auth.issued_at_ms,
        })
        .execute();
      await tx
        .insertInto('jwt_auths')
        .values({
          id: auth.id,
          configuration_type: 'static',
          jwks_url: '',
          public_keys: '[]',
          bound_issuer: '',
          bound_audiences: '',
          bound_claims: '{}',
          bound_subject: '',
        })
        .execute();
    });
    return { input: { identityId: identity.id }, rowId: auth.id };
  },
  'access-token': async (h, organization) => {
    const identity = await add(h, organization, 'identity');
    const auth = await add(h, identity, 'token-auth');
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
  'jwk-validation': async (h, organization) => {
    const projectName = uniqueName('project');
    const project = await add(h, organization, 'project', { slug: projectName });
    const credential = await add(h, project, 'gateway-credential', { slug: 'the-user' });
    const jwk = await add(h, project, 'jwk', { slug: 'the-jwk' });
    const assignment = await add(h, credential, 'jwk-validation');
    await h.running.gateway.writes.run(async (tx) => {
      await tx
        .insertInto('jwks')
        .values({ id: jwk.id, public_jwk: '{}', kid: '', source: 'pasted' })
        .execute();
      await tx
        .insertInto('jwk_assignments')
        .values({ id: assignment.id, jwk_id: jwk.id })
        .execute();
    });
    return { input: { projectName, username: 'the-user' }, rowId: assignment.id };
  },
  'personal-access-token': async (h, organization) => {
    const token = await add(h, organization, 'personal-access-token');
    return { input: { personalAccessTokenId: token.id }, rowId: token.id };
  },
  'deploy-token': async (h, organization) => {
    const application = await add(h, organization, 'application');
    const token = await add(h, application, 'deploy-token');
    return { input: { deployTokenId: token.id }, rowId: token.id };
  },
};

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
  await gateway.writes.run(async (tx) => {
    await tx.insertInto('revocables').values(row).execute();
  });
  return row;
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
