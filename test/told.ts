import type { JWK } from 'jose';
import { Webhook } from 'standardwebhooks';
import { expect } from 'vitest';
import type { LedgerEntry } from '../db/tables.ts';
import type { Deployment } from '../src/delivery/deployment.ts';
import type { CredentialState } from '../src/delivery/environment.ts';
import { create, makeCredential, makeJwk, names } from './assigned.ts';
import { type Harness, openGateway } from './harness.ts';
import { trusting } from './issuers.ts';
import { type Loopback, listen } from './loopback.ts';

/** Environments that are told of changes, made as clients make them. */

const { projectName } = names;
/** What is assigned in place of the first. */
export const second = { ...names, jwkName: 'second' };
const { outboundAllow } = trusting({ jwksUrl: 'https://issuer.example/jwks' });

export interface Environment {
  readonly name: string;
  readonly receiver: Loopback;
  readonly secret: string;
}

/** A gateway with a credential and two JWKs, and environments that answer with these statuses. */
export async function openWithCredential(...statuses: number[]) {
  const h = await openGateway({ count: 0, config: { outboundAllow } });
  await makeCredential(h);
  const environments: Environment[] = [];
  for (const [i, status] of statuses.entries()) {
    const name = `environment-${i}`;
    const receiver = await listen((response) => response.writeHead(status).end());
    const input = { projectName, name, url: receiver.url };
    const { secret = '' } = await create(h, 'createEnvironment', input);
    environments.push({ name, receiver, secret });
  }
  const keys = { first: await makeJwk(h), second: await makeJwk(h, second) };
  return { h, environments, keys };
}

export const publicOf = ({ d, ...published }: JWK): JWK => published;

/** What an environment was told in order, each message with its id and a good signature. */
export const told = ({ receiver, secret }: Environment) =>
  receiver.received.map(({ headers, body }) => {
    const sent = headers as Record<string, string>;
    const state = new Webhook(secret).verify(body, sent) as CredentialState;
    return { id: sent['webhook-id'], ...state.data };
  });

/** Asks for a change that environments are told of. */
export async function tell(h: Harness, mutation: string, input: object): Promise<Deployment> {
  const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}`;
  const { data } = await h.graphql<{ result: { deployment: Deployment } }>(
    `mutation M($input: ${type}Input!) {
      result: ${mutation}(input: $input) {
        ... on ${type}Success {
          deployment { success message environmentResults { environmentName success message } }
        }
      }
    }`,
    { input },
    h.demo.callers.admin,
  );
  expect(data.result).toHaveProperty('deployment');
  return data.result.deployment;
}

/** What was recorded last. */
export async function lastEntry(h: Harness): Promise<LedgerEntry> {
  const entry = (await h.ledger()).at(-1);
  if (entry === undefined) throw new Error('The ledger is empty');
  return entry;
}
