import type { Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';

/** The connections of a server, as far as answers on them are owed. */
export interface Connections {
  /** Ends the connection behind the answers that it is owed; false where it is owed none. */
  endOnceAnswered(socket: Socket): boolean;
}

/**
 * Lets a server that closes answer what was asked, and then end: Node closes the connections that
 * wait for a second request, but not those that have sent no first one, nor those whose answer is
 * still owed.
 */
export function closeOnceAnswered(app: FastifyInstance): Connections {
  /** How many answers each open connection is owed. */
  const owed = new Map<Socket, number>();
  /** Connections on which nothing more can be read. */
  const broken = new Set<Socket>();
  let closing = false;

  app.server.on('connection', (socket) => {
    owed.set(socket, 0);
    socket.once('close', () => {
      owed.delete(socket);
      broken.delete(socket);
    });
  });
  app.server.on('request', ({ socket }, response) => {
    owed.set(socket, (owed.get(socket) ?? 0) + 1);
    response.once('close', () => {
      const left = (owed.get(socket) ?? 1) - 1;
      if (!socket.destroyed) owed.set(socket, left);
      if ((closing || broken.has(socket)) && left === 0) socket.end();
    });
  });
  app.addHook('preClose', async () => {
    // One turn accepts the connections that wait for it, the next reads what they ask.
    await setImmediate();
    await setImmediate();
    closing = true;
    for (const [socket, answers] of owed) {
      if (answers === 0) socket.destroy();
    }
  });

  return {
    endOnceAnswered(socket) {
      if ((owed.get(socket) ?? 0) === 0) return false;
      broken.add(socket);
      return true;
    },
  };
}
