import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';

/** The connections of a server, as far as answers on them are owed. */
export interface Connections {
  /** Whether a connection is owed as many answers as one may be. */
  isFlooded(socket: Socket): boolean;
  /**
   * Ends a connection on which nothing more can be read, behind the answers that it is owed. A request
   * whose body never comes whole is answered with this status. False: nobody has been told anything.
   */
  endOnceAnswered(socket: Socket, status: number): boolean;
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
  const open = new Map<Socket, Connection>();
  /** The answers that are owed. */
  const answers = new Set<ServerResponse>();
  let closing = false;

  app.server.on('connection', (socket) => {
    open.set(socket, { owed: 0, broken: false });
    socket.once('close', () => open.delete(socket));
  });
  app.server.on('request', (request, response) => {
    const { socket } = request;
    const connection = open.get(socket);
    if (connection === undefined) return;
    connection.newest = request;
    connection.owed += 1;
    answers.add(response);
    response.once('close', () => {
      answers.delete(response);
      connection.owed -= 1;
      if ((closing || connection.broken) && connection.owed === 0) socket.end();
    });
  });
  app.addHook('preClose', async () => {
    // One turn accepts the connections that wait for it, the next reads what they ask.
    await setImmediate();
    await setImmediate();
    closing = true;
    for (const [socket, { owed }] of open) {
      if (owed === 0) socket.destroy();
    }
    setTimeout(() => {
      for (const answer of answers) if (isStream(answer)) answer.destroy();
    }, STREAM_END_MS).unref();
  });

  return {
    isFlooded: (socket) => (open.get(socket)?.owed ?? 0) >= OWED_MAX,
    endOnceAnswered(socket, status) {
      const connection = open.get(socket);
      const request = connection?.newest;
      const isCut = request?.complete === false;
      if (connection === undefined || connection.owed === 0) {
        // It has its answer, and what cannot be read is a body that nobody reads.
        if (isCut) socket.end();
        return isCut;
      }
      connection.broken = true;
      // Whoever waits for the rest of the body would wait for good.
      if (isCut && request.listenerCount('error') > 0) request.emit('error', new CutBody(status));
      return true;
    },
  };
}

/** An open connection. */
interface Connection {
  /** How many answers it is owed. */
  owed: number;
  /** What it has asked last. */
  newest?: IncomingMessage;
  /** Whether nothing more can be read on it. */
  broken: boolean;
}

/** What the server's error handler answers with the status. */
class CutBody extends Error {
  readonly statusCode: number;

  constructor(statusCode: number) {
    super('The body has not come whole');
    this.statusCode = statusCode;
  }
}

const isStream = (answer: ServerResponse): boolean =>
  String(answer.getHeader('content-type')).startsWith('text/event-stream');
