import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** A request that a server of a test has read to its end. */
export interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A real HTTP server, for as long as a test runs. */
export interface Loopback {
  readonly url: string;
  readonly port: number;
  readonly received: readonly Received[];
  close(): Promise<void>;
}

/** Listens on 127.0.0.1; what comes in is kept, then answered. */
export async function listen(
  answer: (response: ServerResponse, request: Received) => unknown,
  port = 0,
): Promise<Loopback> {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = '', url = '', headers } = request;
    const read = { method, url, headers, body: Buffer.concat(chunks).toString() };
    received.push(read);
    await answer(response, read);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', resolve);
  });
  let closed: Promise<void> | undefined;
  const close = () => {
    closed ??= new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
    return closed;
  };
  onTestFinished(close);
  const address = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${address.port}/`;
  return { url, port: address.port, received, close };
}

/** Sends for as long as anybody listens. */
export function talkForever(response: ServerResponse): void {
  const chunk = Buffer.alloc(64 * 1024, ' ');
  const talk = () => {
    while (!response.destroyed && response.write(chunk));
  };
  response.on('drain', talk);
  talk();
}
