import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Serves on a port, one that is free unless said, and says which. */
export async function listen(handler: RequestListener, port = 0): Promise<number> {
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** Gives the whole body of a request. What then goes wrong ends the process: no server here may fail. */
export function readBody(
  request: IncomingMessage,
  done: (body: string) => void | Promise<void>,
): void {
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (chunk: string) => {
    body += chunk;
  });
  request.on('end', () => void done(body));
}
