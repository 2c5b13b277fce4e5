import { createClient, type ExecutionResult } from 'graphql-sse';
import { onTestFinished, vi } from 'vitest';
import type { Demo } from '../db/demo.ts';
import { type Harness, type HarnessOptions, openGateway } from './harness.ts';

/** Subscribers of a gateway that listens, as programs outside are. */

/** One event, as far as it was asked for. */
export interface Told {
  readonly cursor: string;
  readonly revocation: { readonly kind: string; readonly target: string } & Record<string, unknown>;
}

/** What a subscriber can ask for. */
export interface Asked {
  readonly after?: string | null;
  readonly kinds?: readonly string[];
  readonly within?: string;
}

export interface Refused {
  readonly message: string;
  readonly code: unknown;
}

/** Somebody who listens. */
export interface Subscriber {
  /** Resolves when the subscription is accepted, or refused. */
  readonly begun: Promise<unknown>;
  readonly told: readonly Told[];
  readonly refused: readonly Refused[];
  /** How it ended: `complete`, or the text of the client's own error. */
  readonly ended: Promise<string>;
  /** What was told, once it is so much. */
  until(count: number): Promise<readonly Told[]>;
  leave(): void;
}

export const document = (fields = 'kind target') => `
  subscription ($after: String, $kinds: [RevocableKind!], $within: ID) {
    revocations(after: $after, kinds: $kinds, within: $within) { cursor revocation { ${fields} } }
  }`;

/** Subscribes with the library that GraphQL over SSE comes with; it tries nothing twice. */
export function subscribe(
  url: string,
  token: string | undefined,
  asked: Asked = {},
  fields?: string,
): Subscriber {
  const told: Told[] = [];
  const refused: Refused[] = [];
  let look = () => {};
  const client = createClient({
    url: `${url}/graphql`,
    retryAttempts: 0,
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
  });
  let begin = () => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const ended = new Promise<string>((resolve) => {
    const sink = {
      next: ({ data, errors = [] }: ExecutionResult<{ revocations: Told }, unknown>) => {
        if (data?.revocations !== undefined) told.push(data.revocations);
        refused.push(
          ...errors.map(({ message, extensions }) => ({ message, code: extensions?.code })),
        );
        look();
      },
      error: (error: unknown) => resolve((error as Error).message),
      complete: () => resolve('complete'),
    };
    const request = { query: document(fields), variables: { ...asked } };
    client.subscribe<{ revocations: Told }>(request, sink, { connected: begin });
  });
  const left = ended.then(() => {
    begin();
    look();
    return true;
  });
  onTestFinished(() => client.dispose());
  const until = (count: number) =>
    new Promise<readonly Told[]>((resolve, reject) => {
      let over = false;
      look = () => {
        if (told.length >= count) resolve(told);
        else if (over)
          reject(new Error(`It ended after ${told.length}: ${JSON.stringify(refused)}`));
      };
      look();
      left.then(() => {
        over = true;
        look();
      }, reject);
    });
  return { begun, told, refused, ended, until, leave: () => client.dispose() };
}

/** Has a gateway listen on a free port, and says where. */
export const serve = (h: Harness): Promise<string> => h.app.listen({ host: '127.0.0.1', port: 0 });

/** A gateway that listens, and counts who follows its ledger. */
export async function open(options: HarnessOptions = {}) {
  const h = await openGateway(options);
  const { tail } = h.running.gateway;
  const { follow } = tail;
  let followers = 0;
  vi.spyOn(tail, 'follow').mockImplementation(async function* (...given) {
    followers++;
    try {
      yield* follow(...given);
    } finally {
      followers--;
    }
  });
  return { h, url: await serve(h), followers: () => followers };
}

/** Subscribes to a gateway that listens, and waits until that is accepted or refused. */
export async function subscribed(
  url: string,
  token: string | undefined,
  asked?: Asked,
  fields?: string,
): Promise<Subscriber> {
  const subscriber = subscribe(url, token, asked, fields);
  await subscriber.begun;
  return subscriber;
}

/** Revokes an API key of the demo data through a product's path, and says what the ledger calls it. */
export async function revokeKey(url: string, demo: Demo, i: number): Promise<string> {
  const { applicationId, keyId } = demo.apiKey[i] ?? {};
  const path = `/api/v1/applications/${applicationId}/api-keys/${keyId}`;
  const { status } = await fetch(`${url}${path}`, {
    method: 'DELETE',
    headers: { authorization: `Bearer ${demo.callers.admin}` },
  });
  if (status !== 200) throw new Error(`${path} is answered with ${status}`);
  return `${applicationId}/${keyId}`;
}

export const targetsOf = (told: readonly Told[]): string[] =>
  told.map(({ revocation }) => revocation.target);
