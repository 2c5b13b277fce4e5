import { createServer as createTcpServer } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { expect, test, vi } from 'vitest';
import type { Demo } from '../db/demo.ts';
import type { WebhookMessage } from '../src/delivery/webhook.ts';
import { type Loopback, listen } from './loopback.ts';
import { gatewayJson, newFolder, type Served, serve, settingsIn } from './processes.ts';

/** Deliveries while the gateway is killed: nothing that was answered is lost. */

const COUNT = 1_000;
const KILLS = 12;
const AT_ONCE = 8;

/** A port that is free now, and stays the gateway's over its restarts. */
async function freePort(): Promise<string> {
  const server = createTcpServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return String(port);
}

interface Hook {
  readonly receiver: Loopback;
  readonly secret: string;
}

async function createWebhook(url: string, token: string, name: string): Promise<Hook> {
  // Fails at times, so that there is something to try again at any moment.
  let answered = 0;
  const receiver = await listen((response) =>
    response.writeHead(++answered % 97 === 0 ? 503 : 204).end(),
  );
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({
      query: `mutation ($input: CreateWebhookInput!) {
        made: createWebhook(input: $input) { ... on CreateWebhookSuccess { secret } } }`,
      variables: { input: { name, url: receiver.url, events: ['CREDENTIAL_REVOKED'] } },
    }),
  });
  const { data } = (await response.json()) as { data: { made: { secret: string } } };
  expect(data.made).toHaveProperty('secret');
  return { receiver, secret: data.made.secret };
}

/** Revokes a key, however often that takes; the id, where it was answered with one. */
async function revoke(url: string, path: string, token: string): Promise<string | undefined> {
  for (;;) {
    try {
      const headers = { authorization: `Bearer ${token}` };
      const response = await fetch(`${url}${path}`, { method: 'DELETE', headers });
      await response.arrayBuffer();
      if (response.status === 200) return response.headers.get('revocation-id') ?? undefined;
      // Done by an attempt whose answer was cut off.
      if (response.status === 404) return undefined;
    } catch {
      // The gateway is down.
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** What a receiver was told, by message id; the signature of each message is good. */
function told({ receiver, secret }: Hook): Map<string, WebhookMessage[]> {
  const messages = receiver.received.map(({ headers, body }) => {
    const verified = new Webhook(secret).verify(body, headers as Record<string, string>);
    return [headers['webhook-id'] as string, verified as WebhookMessage] as const;
  });
  return new Map(
    [...Map.groupBy(messages, ([id]) => id)].map(([id, each]) => [id, each.map(([, m]) => m)]),
  );
}

test(`${COUNT} revocations while the gateway is killed ${KILLS} times`, async () => {
  const settings = {
    ...settingsIn(newFolder()),
    ...{ PORT: await freePort(), OUTBOUND_ALLOW: '127.0.0.0/8', LOG_LEVEL: 'silent' },
  };
  const demo = await gatewayJson<Demo>(settings, 'demo', '--count', String(COUNT));
  const { personalAccessToken: token } = demo.callers;
  let served: Served = await serve(settings);
  const { url } = served;
  const hooks = [
    await createWebhook(url, token, 'first'),
    await createWebhook(url, token, 'second'),
  ];

  const answered: string[] = [];
  const waiting = [...demo.apiKey];
  const revokeAll = async () => {
    for (let key = waiting.pop(); key !== undefined; key = waiting.pop()) {
      const path = `/api/v1/applications/${key.applicationId}/api-keys/${key.keyId}`;
      const id = await revoke(url, path, token);
      if (id !== undefined) answered.push(id);
      // So that there are some left at each kill.
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 40));
    }
  };
  const revoking = Promise.all(Array.from({ length: AT_ONCE }, revokeAll));
  for (let kills = 0; kills < KILLS; kills++) {
    await new Promise((resolve) => setTimeout(resolve, 30 + Math.random() * 300));
    served.kill('SIGKILL');
    expect((await served.ended).signal).toBe('SIGKILL');
    served = await serve(settings);
  }
  await revoking;
  expect(answered.length).toBeGreaterThan(COUNT - AT_ONCE * KILLS);

  for (const hook of hooks) {
    await vi.waitUntil(() => told(hook).size === COUNT, { timeout: 30_000, interval: 200 });
    const messages = told(hook);
    expect(answered.filter((id) => !messages.has(id))).toEqual([]);
    for (const [id, each] of messages) {
      // Told twice, it is the same event.
      expect(new Set(each.map((message) => JSON.stringify(message))).size).toBe(1);
      expect(each[0]?.data).toMatchObject({ id, kind: 'api-key' });
    }
    const seqs = [...messages.values()].map(([message]) => message?.data.seq ?? 0);
    expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
  }
}, 180_000);
