import type { Server, Socket } from 'node:net';
import { networkOf } from './windows.ts';

/** Connections of one address at once; one more is closed. */
const CONNECTIONS_PER_ADDRESS_MAX = 5_000;

/** Leaves connections for others, however many one address opens. Whoever stands for many is exempt. */
export function limitConnections(
  server: Server,
  isExempt: (address: string) => boolean,
  max = CONNECTIONS_PER_ADDRESS_MAX,
): void {
  const open = new Map<string, number>();
  server.on('connection', (socket: Socket) => {
    const address = socket.remoteAddress;
    if (address === undefined || isExempt(address)) return;
    const network = networkOf(address);
    const count = (open.get(network) ?? 0) + 1;
    if (count > max) {
      socket.destroy();
      return;
    }
    open.set(network, count);
    socket.once('close', () => {
      const left = (open.get(network) ?? 1) - 1;
      if (left > 0) open.set(network, left);
      else open.delete(network);
    });
  });
}
