import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An environment of the demo: acknowledges whatever it is told, and says so on standard output. */
export async function startReceiver(name: string) {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      process.stdout.write(`[${name}] was told: ${Buffer.concat(chunks).toString()}\n`);
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    name,
    url: `http://127.0.0.1:${port}/`,
    close: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
