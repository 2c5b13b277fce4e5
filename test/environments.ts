import { Webhook } from 'standardwebhooks';
import { expect } from 'vitest';
import type { Delivery } from '../db/tables.ts';
import { readConfig } from '../src/config.ts';
import type { Deployment } from '../src/delivery/deployment.ts';
import type { CredentialState } from '../src/delivery/environment.ts';
import { type Harness, openGateway } from './harness.ts';
import type { Received } from './loopback.ts';

/** A gateway whose projects all have these environments, reachable on loopback alone. */
export const openWith = (environments: Record<string, string>): Promise<Harness> =>
  openGateway({
    config: { outboundAllow: readConfig({ OUTBOUND_ALLOW: '127.0.0.0/8' }).outboundAllow },
    environments: Object.entries(environments).map(([name, url]) => ({ name, url })),
  });

export interface Address {
  readonly projectName: string;
  readonly username: string;
}

/** A credential of the demo data that has a JWK for validation. */
export function addressOf(h: Harness, i = 0): Address & { jwkName: string } {
  const address = h.demo.jwkValidation[i];
  if (address === undefined) throw new Error(`The demo data has no ${i}th JWK validation`);
  return address;
}

/** What a surface answered: that it is done, or a word for the refusal. */
export interface Answered {
  readonly code: string;
  readonly revocationId?: string | undefined;
  readonly deployment?: Deployment;
}

export type Unassign = (h: Harness, address: Address, token: string) => Promise<Answered>;

const throughRest: Unassign = async (h, { projectName, username }, token) => {
  const path = `/apiops/projects/${projectName}/credentials/${username}/jwk/validation/`;
  const { status, headers, body } = await h.rest('DELETE', path, token);
  const said = JSON.parse(body) as { deploymentResult: Deployment; error?: string };
  if (status !== 200) return { code: `${status} ${said.error}` };
  expect(said).toEqual({ success: true, deploymentResult: said.deploymentResult });
  return {
    code: 'done',
    revocationId: headers['revocation-id'],
    deployment: said.deploymentResult,
  };
};

const throughGraphql: Unassign = async (h, { projectName, username }, token) => {
  interface Result {
    code?: string;
    revocation: { id: string };
    deployment: Deployment;
  }
  const { status, data, errors } = await h.graphql<{ result: Result }>(
    `mutation ($input: UnassignJwkValidationInput!) {
      result: unassignJwkValidation(input: $input) {
        ... on UnassignJwkValidationSuccess {
          revocation { id }
          deployment { success message environmentResults { environmentName success message } }
        }
        ... on Error { code }
      }
    }`,
    { input: { projectName, username } },
    token,
  );
  expect([status, errors]).toEqual([200, undefined]);
  const { code = 'done', revocation, deployment } = data.result;
  return { code, revocationId: revocation?.id, deployment };
};

/** Both surfaces, with their words for each refusal. */
export const surfaces: readonly [
  name: string,
  unassign: Unassign,
  words: { denied: string; repeated: string; missing: string },
][] = [
  [
    'REST',
    throughRest,
    { denied: '403 forbidden', repeated: '400 bad_request', missing: '404 not_found' },
  ],
  [
    'GraphQL',
    throughGraphql,
    { denied: 'PERMISSION_DENIED', repeated: 'ALREADY_REVOKED', missing: 'NOT_FOUND' },
  ],
];

/** What a receiver was told, once its signature is found good with the secret of the target. */
export async function verified(
  h: Harness,
  { projectName }: Address,
  environment: string,
  { headers, body }: Received,
): Promise<CredentialState> {
  const { secret_jwe } = await h.running.database.reader
    .selectFrom('targets')
    .innerJoin('revocables as project', 'project.id', 'targets.scope_id')
    .select('targets.secret_jwe')
    .where('project.slug', '=', projectName)
    .where('targets.name', '=', environment)
    .executeTakeFirstOrThrow();
  const webhook = new Webhook(await h.running.secretKey.unseal(secret_jwe));
  return webhook.verify(body, headers as Record<string, string>) as CredentialState;
}

/** Every delivery, or each of one entry, by the name of its environment. */
export async function deliveries(h: Harness, seq?: number): Promise<Record<string, Delivery>> {
  const all = await h.running.database.reader
    .selectFrom('deliveries')
    .innerJoin('targets', 'targets.id', 'deliveries.target_id')
    .selectAll('deliveries')
    .select('targets.name')
    .execute();
  const rows = all.filter((row) => seq === undefined || row.seq === seq);
  const byName = Object.fromEntries(rows.map(({ name, ...row }) => [name, row]));
  expect(Object.keys(byName)).toHaveLength(rows.length);
  return byName;
}

/** A new token that may do this and nothing else. */
export async function callerWith(h: Harness, permissions: readonly string[]): Promise<string> {
  const { data } = await h.graphql<{ made: { secret: string } }>(
    `mutation ($permissions: [String!]!) {
      made: createPersonalAccessToken(input: { name: "limited", permissions: $permissions }) {
        ... on CreatePersonalAccessTokenSuccess { secret }
      }
    }`,
    { permissions },
    h.demo.callers.admin,
  );
  return data.made.secret;
}
