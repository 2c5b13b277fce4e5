import type { AddressInfo } from 'node:net';
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { expect, onTestFinished } from 'vitest';
import { ask } from './creation.ts';
import { creationOf } from './creations.ts';
import { type Harness, type HarnessOptions, openGateway } from './harness.ts';

/** Enforcement points, as whoever writes one without the library follows the feed. */

export interface Point {
  readonly id: string;
  readonly token: string;
}

/** Makes an enforcement point of the admin's organization, or of another caller's. */
export async function makePoint(h: Harness, name = 'edge', caller?: string): Promise<Point> {
  const { shown, secret = '' } = await ask(
    h,
    creationOf('createEnforcementPoint'),
    { name },
    caller ?? h.demo.callers.admin,
  );
  return { id: shown.id, token: secret };
}

export async function listenOn(h: Harness): Promise<string> {
  await h.app.listen({ host: '127.0.0.1', port: 0 });
  return `http://127.0.0.1:${(h.app.server.address() as AddressInfo).port}`;
}

/** An event, its data read. */
export interface Told {
  readonly event: string;
  readonly id: string | undefined;
  readonly data: Record<string, unknown>;
}

/** A stream that is read as it comes. */
export interface Follower {
  readonly response: Response;
  /** All that has come. */
  readonly told: readonly Told[];
  /** The first event that is like this, whether it has come already or not. */
  until(like: (told: Told) => boolean): Promise<Told>;
  /** Resolves when the stream has ended, whoever ended it. */
  readonly ended: Promise<void>;
  close(): void;
}

/** Follows the feed. */
export async function followFeed(
  url: string,
  token: string,
  { after, query = '' }: { after?: number | string | undefined; query?: string } = {},
): Promise<Follower> {
  const closing = new AbortController();
  onTestFinished(() => closing.abort());
  const response = await fetch(`${url}/feed${query}`, {
    headers: {
      authorization: `Bearer ${token}`,
      ...(after !== undefined && { 'last-event-id': String(after) }),
    },
    signal: closing.signal,
  });
  const told: Told[] = [];
  const waiting = new Set<() => void>();
  let over = false;
  const parser = createParser({
    onEvent({ event = '', id, data }: EventSourceMessage) {
      told.push({ event, id, data: JSON.parse(data) as Told['data'] });
    },
  });
  const read = async () => {
    const decoder = new TextDecoder();
    try {
      for await (const chunk of response.body ?? []) {
        parser.feed(decoder.decode(chunk, { stream: true }));
        for (const look of waiting) look();
      }
    } catch {
      // Cut, by either side.
    }
    over = true;
    for (const look of waiting) look();
  };
  const ended = read();
  return {
    response,
    told,
    ended,
    close: () => closing.abort(),
    until: (like) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = told.find(like);
          if (found === undefined && !over) return;
          waiting.delete(look);
          if (found === undefined) reject(new Error(`Ended: ${JSON.stringify(told.slice(-5))}`));
          else resolve(found);
        };
        waiting.add(look);
        look();
      }),
  };
}

/** The changes among what was told. */
export const changesIn = ({ told }: Follower) =>
  told.filter(({ event }) => event === 'change').map(({ data }) => data);

/** Says that everything up to an entry is applied. */
export const acknowledge = (url: string, token: string, body: unknown) =>
  fetch(`${url}/feed/acknowledgement`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });

/** A gateway that listens, with a point that has begun to follow. */
export async function openFollowed(options: HarnessOptions = {}) {
  const h = await openGateway(options);
  const url = await listenOn(h);
  const point = await makePoint(h);
  const feed = await followFeed(url, point.token);
  await feed.until(isPosition);
  return { h, url, point, feed };
}

/** How an event names an entry: by its number, and what tells it from another of that number. */
export const placeAt = (seq: number): unknown =>
  expect.stringMatching(new RegExp(`^${seq}-[\\w-]{8}$`));

export const isPosition = ({ event }: Told) => event === 'position';

/** Whether an event is of this entry, or behind it. */
export const hasSeq = (seq: number) => (told: Told) =>
  Number(told.data.seq ?? told.data.position) >= seq;

/** Where the ledger ends. */
export const endOf = (h: Harness) => h.running.gateway.tail.position();

/** Revokes the first API keys of the demo data. */
export async function revokeKeys(h: Harness, count: number): Promise<void> {
  for (const { applicationId, keyId } of h.demo.apiKey.slice(0, count)) {
    const path = `/api/v1/applications/${applicationId}/api-keys/${keyId}`;
    const { status } = await h.rest('DELETE', path, h.demo.callers.admin);
    if (status !== 200) throw new Error(`The key is not revoked: ${status}`);
  }
}
