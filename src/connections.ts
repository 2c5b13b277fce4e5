import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';

/** The connections of a server, as far as answers on them are owed. */
export interface Connections {
  /** Whether a connection is owed as many answers as one may be. */
  isFlooded(socket: Socket): boolean;
  /** Ends the connection behind the answers that it is owed; false where it is owed none. */
  endOnceAnswered(socket: Socket): boolean;
}

/** Requests of one connection that are answered at once; those that it sends behind them are refused. */
const OWED_MAX = 100;

/** How long a stream of events may take to end once the server closes; then it is cut. */
const STREAM_END_MS = 1_000;

/**
 * Lets a server that closes answer what was asked, and then end: Node closes the connections that
 * wait for a second request, but not those that have sent no first one, nor those whose answer is
 * still owed. A client that does not read how a stream ends learns it from the connection.
 */
export function closeOnceAnswered(app: FastifyInstance): Connections {
  /** How many answers each open connection is owed. */
  const owed = new Map<Socket, number>();
  /** The answers themselves. */
  const answers = new Set<ServerResponse>();
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
    answers.add(response);
    response.once('close', () => {
      answers.delete(response);
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
    for (const [socket, left] of owed) {
      if (left === 0) socket.destroy();
    }
    setTimeout(() => {
      for (const answer of answers) if (isStream(answer)) answer.destroy();
    }, STREAM_END_MS).unref();
  });

  return {
    isFlooded: (socket) => (owed.get(socket) ?? 0) >= OWED_MAX,
    endOnceAnswered(socket) {
      if ((owed.get(socket) ?? 0) === 0) return false;
      broken.add(socket);
      return true;
    },
  };
}

const isStream = (answer: ServerResponse): boolean =>
  String(answer.getHeader('content-type')).startsWith('text/event-stream');
