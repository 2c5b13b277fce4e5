import type { ServerResponse } from 'node:http';
import { Webhook } from 'standardwebhooks';
import { expect, vi } from 'vitest';
import type { Delivery } from '../db/tables.ts';
import { readConfig } from '../src/config.ts';
import type { WebhookMessage } from '../src/delivery/webhook.ts';
import { type Harness, type HarnessOptions, openGateway } from './harness.ts';
import { type Loopback, listen, type Received } from './loopback.ts';

/** Targets as clients make and manage them, and real receivers on loopback. */

const { outboundAllow } = readConfig({ OUTBOUND_ALLOW: '127.0.0.0/8' });

/** A clock that runs with the real one, and can be moved ahead of it. */
export function movableClock() {
  let ahead = 0;
  const advance = (ms: number) => {
    ahead += ms;
  };
  return { now: () => Date.now() + ahead, advance };
}

/** A gateway that may reach loopback. */
export const openReaching = ({ config, ...options }: HarnessOptions = {}): Promise<Harness> =>
  openGateway({ config: { outboundAllow, ...config }, ...options });

/** Asks for a mutation; what is asked of its success, or `code` and `message`. */
export async function mutate<T extends object>(
  h: Harness,
  mutation: string,
  input: object,
  asked: string,
  token = h.demo.callers.personalAccessToken,
): Promise<T & { code?: string; message?: string }> {
  const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}`;
  const { data, errors } = await h.graphql<{ result: T & { code?: string } }>(
    `mutation M($input: ${type}Input!) {
      result: ${mutation}(input: $input) {
        ... on ${type}Success { ${asked} }
        ... on Error { code message }
      }
    }`,
    { input },
    token,
  );
  expect(errors).toBeUndefined();
  return data.result;
}

/** A webhook that was made, who listens there, and what it was told in order. */
export interface Hook {
  readonly id: string;
  readonly secret: string;
  readonly receiver: Loopback;
  /** What it was told in order, each message with its id and a good signature. */
  told(): (WebhookMessage & { id: string })[];
}

export type Answer = (response: ServerResponse, request: Received) => unknown;

/** Makes a webhook, with a receiver of its own that acknowledges unless it is said what it does. */
export async function makeHook(
  h: Harness,
  name: string,
  answer: Answer = (response) => response.end(),
  more: object = {},
): Promise<Hook> {
  const receiver = await listen(answer);
  interface Made {
    webhook: { id: string };
    secret: string;
  }
  const input = { name, url: receiver.url, ...more };
  const { webhook, secret } = await mutate<Made>(
    h,
    'createWebhook',
    input,
    'webhook { id } secret',
  );
  const told = () => receiver.received.map((request) => open(secret, request));
  return { id: webhook.id, secret, receiver, told };
}

/** What a request says, once its signature is found good. */
export function open(secret: string, { headers, body }: Received) {
  const sent = headers as Record<string, string>;
  const message = new Webhook(secret).verify(body, sent) as WebhookMessage;
  return { ...message, id: sent['webhook-id'] ?? '' };
}

/** Revokes an API key of the demo data through REST; the id of the revocation. */
export async function revokeKey(h: Harness, i = 0): Promise<string> {
  const { applicationId, keyId } = h.demo.apiKey[i] ?? {};
  const path = `/api/v1/applications/${applicationId}/api-keys/${keyId}`;
  const { status, headers } = await h.rest('DELETE', path, h.demo.callers.personalAccessToken);
  expect(status).toBe(200);
  return headers['revocation-id'] ?? '';
}

/** Waits until it no longer throws. */
export const until = <T>(check: () => T | Promise<T>, timeout = 10_000): Promise<T> =>
  vi.waitFor(check, { timeout, interval: 10 });

/** The deliveries that a target is owed or had, in order. */
export const deliveriesTo = (h: Harness, { id }: { readonly id: string }): Promise<Delivery[]> =>
  h.running.database.reader
    .selectFrom('deliveries')
    .selectAll()
    .where('target_id', '=', id)
    .orderBy('seq')
    .execute();

/** Waits until a target has acknowledged so many deliveries. */
export const untilAcknowledged = (h: Harness, hook: { readonly id: string }, count: number) =>
  until(async () => {
    const done = (await deliveriesTo(h, hook)).filter((row) => row.acknowledged_at_ms !== null);
    expect(done).toHaveLength(count);
    return done;
  });

/** Lets the oldest delivery of a target fail so often, moving the clock ahead of each wait. */
export async function failAttempts(
  h: Harness,
  clock: ReturnType<typeof movableClock>,
  { id }: { readonly id: string },
  attempts: number,
): Promise<void> {
  const [first] = (await deliveriesTo(h, { id })).filter(
    (row) => row.acknowledged_at_ms === null && row.stuck_at_ms === null,
  );
  if (first === undefined) throw new Error('Nothing is pending');
  const target = await h.running.database.reader
    .selectFrom('targets')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
  for (let i = first.attempts + 1; i <= attempts; i++) {
    await until(async () => {
      const row = (await deliveriesTo(h, { id })).find(({ seq }) => seq === first.seq);
      if (row?.attempts !== i) {
        clock.advance(
          row?.next_attempt_at_ms ? Math.max(0, row.next_attempt_at_ms - clock.now()) : 0,
        );
        h.running.gateway.delivery.wake([target]);
      }
      expect(row?.attempts).toBe(i);
    });
  }
}

/** What `me.targets` says of a target. */
export async function look<T extends object>(h: Harness, id: string, asked: string): Promise<T> {
  type Node = T & { id: string };
  const { data, errors } = await h.graphql<{ me: { targets: { edges: { node: Node }[] } } }>(
    `{ me { targets(first: 100) { edges { node { id ${asked} } } } } }`,
    {},
    h.demo.callers.personalAccessToken,
  );
  expect(errors).toBeUndefined();
  const found = data.me.targets.edges.find(({ node }) => node.id === id)?.node;
  if (found === undefined) throw new Error(`No target ${id}`);
  const { id: _, ...rest } = found;
  return rest as unknown as T;
}
