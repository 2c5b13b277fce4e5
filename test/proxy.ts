import {
  request as ask,
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** Answers that are held on their way. */
export interface Held {
  /** How many wait. */
  waiting(): number;
  /** Lets them go, and holds no more. */
  release(): void;
}

/** A real HTTP proxy before a gateway, which a test has misbehave. */
export interface LoopbackProxy {
  readonly url: string;
  /** How many requests have come for a path. */
  count(path: string): number;
  /** Holds the answers to a path once they have come from the gateway. */
  hold(path: string): Held;
  /** Ends every connection and takes none. */
  cut(): Promise<void>;
  /** Takes connections again, at the same address. */
  restore(): Promise<void>;
  /** Keeps every connection, and lets nothing through. */
  freeze(): void;
  thaw(): void;
  /** Brings everything of the feed late by so many milliseconds, in order. */
  delayFeed(ms: number): void;
  /** Ends the streams of the feed, and nothing else. */
  endFeeds(): void;
  /** Leaves out where a client of the feed was. */
  forgetPositions(): void;
}

/** Stands before a gateway for as long as a test runs. */
export async function proxyTo(url: string): Promise<LoopbackProxy> {
  const target = new URL(url);
  const counts = new Map<string, number>();
  const holds = new Map<string, { gate: Promise<void>; waiting: number }>();
  const sockets = new Set<Socket>();
  const feeds = new Set<ServerResponse>();
  let frozen: Promise<void> | undefined;
  let thaw = () => {};
  let delayMs = 0;
  let forgetful = false;

  async function pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? '/', url);
    counts.set(pathname, (counts.get(pathname) ?? 0) + 1);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    await frozen;
    const { method, headers } = request;
    if (forgetful) delete headers['last-event-id'];
    const upstream = ask({
      ...{ host: target.hostname, port: target.port, path: request.url, method },
      headers: { ...headers, host: target.host },
      agent: false,
    });
    if (pathname === '/feed') feeds.add(response);
    response.on('close', () => {
      feeds.delete(response);
      upstream.destroy();
    });
    upstream.on('error', () => response.destroy());
    upstream.end(Buffer.concat(chunks));
    const answer = await new Promise<IncomingMessage>((resolve) =>
      upstream.on('response', resolve),
    );
    const held = holds.get(pathname);
    if (held !== undefined) {
      held.waiting += 1;
      await held.gate;
      held.waiting -= 1;
    }
    await frozen;
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    response.flushHeaders();
    let dueAtMs = 0;
    for await (const chunk of answer) {
      await frozen;
      dueAtMs = Math.max(dueAtMs, performance.now() + (pathname === '/feed' ? delayMs : 0));
      const waitMs = dueAtMs - performance.now();
      if (waitMs <= 0) response.write(chunk);
      else setTimeout(() => response.write(chunk), waitMs);
    }
    setTimeout(() => response.end(), Math.max(dueAtMs - performance.now(), 0));
  }

  let server = listen();
  function listen(): Server {
    const made = createServer((request, response) => {
      // A side that breaks off breaks the other off.
      pass(request, response).catch(() => response.destroy());
    });
    made.on('connection', (socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    });
    return made;
  }
  const open = (port: number) =>
    new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(port, '127.0.0.1', resolve);
    });
  await open(0);
  const { port } = server.address() as AddressInfo;

  async function cut(): Promise<void> {
    if (!server.listening) return;
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  }
  onTestFinished(cut);

  return {
    url: `http://127.0.0.1:${port}`,
    count: (path) => counts.get(path) ?? 0,
    hold(path) {
      const gate = Promise.withResolvers<void>();
      const held = { gate: gate.promise, waiting: 0 };
      holds.set(path, held);
      return {
        waiting: () => held.waiting,
        release() {
          holds.delete(path);
          gate.resolve();
        },
      };
    },
    cut,
    async restore() {
      server = listen();
      await open(port);
    },
    freeze() {
      const gate = Promise.withResolvers<void>();
      frozen = gate.promise;
      thaw = () => {
        frozen = undefined;
        gate.resolve();
      };
    },
    thaw: () => thaw(),
    delayFeed(ms) {
      delayMs = ms;
    },
    endFeeds() {
      for (const response of feeds) response.destroy();
    },
    forgetPositions() {
      forgetful = true;
    },
  };
}
