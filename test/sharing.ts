import { setTimeout } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Demo } from '../db/demo.ts';
import type { CredentialState } from '../src/delivery/environment.ts';
import type { WebhookMessage } from '../src/delivery/webhook.ts';
import { listen } from './loopback.ts';
import {
  gatewayJson,
  newFolder,
  type Served,
  type Settings,
  serve,
  settingsIn,
} from './processes.ts';
import { type Answer, open } from './targets.ts';

/** Several gateways on one database, in processes of their own, and places that they tell. */
export interface Sharing {
  readonly demo: Demo;
  readonly gateways: SharingGateway[];
  /** Starts one more. */
  join(): Promise<SharingGateway>;
}

export interface SharingGateway extends Served {
  /** Asks for a mutation; what is asked of its success. */
  mutate<T>(mutation: string, input: object, asked: string): Promise<T>;
  query<T>(query: string): Promise<T>;
  /** Revokes a key of the demo data, however often that takes; the id, where it was answered with one. */
  revokeKey(i: number): Promise<string | undefined>;
}

/** Starts so many gateways on a new database with demo data. */
export async function share(
  count: number,
  { keys = 3, ...more }: { keys?: number; settings?: Settings } = {},
): Promise<Sharing> {
  const settings = {
    ...settingsIn(newFolder()),
    ...{ OUTBOUND_ALLOW: '127.0.0.0/8', LOG_LEVEL: 'silent' },
    ...more.settings,
  };
  const demo = await gatewayJson<Demo>(settings, 'demo', '--count', String(keys));
  const join = async () => speakTo(await serve(settings), demo);
  const gateways = await Promise.all(Array.from({ length: count }, join));
  return { demo, gateways, join };
}

function speakTo(served: Served, demo: Demo): SharingGateway {
  const authorization = `Bearer ${demo.callers.personalAccessToken}`;
  const query = async <T>(text: string, variables = {}): Promise<T> => {
    const response = await fetch(`${served.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization },
      body: JSON.stringify({ query: text, variables }),
    });
    const { data, errors } = (await response.json()) as { data: T; errors?: unknown };
    expect(errors).toBeUndefined();
    return data;
  };
  return {
    ...served,
    query,
    async mutate<T>(mutation: string, input: object, asked: string) {
      const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}`;
      const text = `mutation ($input: ${type}Input!) {
        result: ${mutation}(input: $input) {
          ... on ${type}Success { ${asked} } ... on Error { code message } } }`;
      const { result } = await query<{ result: T }>(text, { input });
      expect(result).not.toHaveProperty('code');
      return result;
    },
    async revokeKey(i) {
      const { applicationId, keyId } = demo.apiKey[i] ?? {};
      const url = `${served.url}/api/v1/applications/${applicationId}/api-keys/${keyId}`;
      for (let tries = 0; tries < 500; tries++) {
        const response = await fetch(url, { method: 'DELETE', headers: { authorization } }).catch(
          () => undefined,
        );
        await response?.arrayBuffer().catch(() => undefined);
        if (response?.status === 200) return response.headers.get('revocation-id') ?? undefined;
        // Done by an attempt whose answer was cut off.
        if (response?.status === 404) return undefined;
        // Nobody is there any more.
        if (response === undefined) throw new Error('Not answered');
        await setTimeout(20);
      }
      throw new Error('Never done');
    },
  };
}

/** A place that is told, one message after the other: it fails where a second one comes meanwhile. */
export interface Place {
  readonly id: string;
  /** Each message in order, with its id, a good signature and when it came. */
  told(): Told[];
  count(): number;
  /** How many messages it was telling of at once, at the most. */
  atOnceMax(): number;
}

export interface Told {
  readonly id: string;
  readonly seq: number;
  readonly atMs: number;
  readonly message: WebhookMessage | CredentialState;
}

const acknowledge: Answer = (response) => response.end();

async function place(answer: Answer) {
  const times: number[] = [];
  let [atOnce, most] = [0, 0];
  const receiver = await listen((response, request) => {
    times.push(Date.now());
    most = Math.max(most, ++atOnce);
    response.once('close', () => atOnce--);
    return answer(response, request);
  });
  const told = (secret: string) =>
    receiver.received.map((request, i): Told => {
      const { id, ...message } = open(secret, request);
      return { id, seq: message.data.seq, atMs: times[i] ?? 0, message };
    });
  return { receiver, told, count: () => times.length, atOnceMax: () => most };
}

/** Makes a webhook that acknowledges, unless it is said what it does. */
export async function shareHook(
  gateway: SharingGateway,
  name: string,
  answer = acknowledge,
  more: object = {},
): Promise<Place> {
  const { receiver, told, ...counts } = await place(answer);
  const { webhook, secret } = await gateway.mutate<{ webhook: { id: string }; secret: string }>(
    'createWebhook',
    { name, url: receiver.url, ...more },
    'webhook { id } secret',
  );
  return { id: webhook.id, told: () => told(secret), ...counts };
}

/** Makes a project with an environment, a JWK, and credentials of these names. */
export async function shareEnvironment(
  gateway: SharingGateway,
  usernames: readonly string[],
  answer = acknowledge,
): Promise<Place> {
  const { receiver, told, ...counts } = await place(answer);
  const projectName = 'shared';
  await gateway.mutate('createProject', { projectName }, 'project { id }');
  for (const username of usernames) {
    const input = { projectName, username };
    await gateway.mutate('createGatewayCredential', input, 'gatewayCredential { id }');
  }
  const jwk = { projectName, jwkName: 'key', generate: 'EdDSA' };
  await gateway.mutate('createJwk', jwk, 'jwk { id }');
  const { environment, secret } = await gateway.mutate<{
    environment: { id: string };
    secret: string;
  }>(
    'createEnvironment',
    { projectName, name: 'e', url: receiver.url },
    'environment { id } secret',
  );
  return { id: environment.id, told: () => told(secret), ...counts };
}

export interface Deployed {
  readonly success: boolean;
  readonly environmentResults: readonly { readonly success: boolean; readonly message: string }[];
}

/** Gives a credential of that project its JWK, or takes it away; what became of telling the environment. */
export async function change(
  gateway: SharingGateway,
  username: string,
  how: 'assign' | 'unassign',
): Promise<Deployed> {
  const input = { projectName: 'shared', username, ...(how === 'assign' && { jwkName: 'key' }) };
  const asked = 'deployment { success environmentResults { success message } }';
  const mutation = `${how}JwkValidation`;
  return (await gateway.mutate<{ deployment: Deployed }>(mutation, input, asked)).deployment;
}

/** Runs jobs with numbers, so many at once. */
export async function forAll(
  count: number,
  atOnce: number,
  job: (i: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const work = async () => {
    while (next < count) await job(next++);
  };
  await Promise.all(Array.from({ length: atOnce }, work));
}

export const ascending = (numbers: readonly number[]): number[] =>
  numbers.toSorted((a, b) => a - b);
