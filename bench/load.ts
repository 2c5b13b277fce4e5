import { connect, type Socket } from 'node:net';
import { readAnswer } from './http-text.ts';

/**
 * The load: connections that are kept open, each with one request at a time.
 *
 * It is our own because every request here is another one, and every answer is looked at. autocannon,
 * which the field uses, came to 31,000 requests per second at a `node:http` server that does nothing,
 * all of them the same and none looked at; this came to 38,000 on the same two cores, with both.
 */

export interface Load {
  readonly port: number;
  readonly connections: number;
  /** The number of the next item; undefined where there is none left. */
  next(): number | undefined;
  request(item: number): string;
  isRight(body: string, item: number): boolean;
  /** When to stop; without it, when there is nothing left. */
  readonly seconds?: number | undefined;
}

export interface Loaded {
  readonly answers: number;
  readonly seconds: number;
  /** How long each took, in milliseconds. */
  readonly times: readonly number[];
}

/** Asks until there is nothing left to ask. One wrong answer ends it with an error. */
export function load(options: Load): Promise<Loaded> {
  const { port, connections, next, request, isRight, seconds = Number.POSITIVE_INFINITY } = options;
  return new Promise((resolve, reject) => {
    const sockets: Socket[] = [];
    const times: number[] = [];
    let ready = 0;
    let busy = 0;
    let begunAt = 0;
    let until = 0;

    const fail = (error: Error) => {
      for (const socket of sockets) socket.destroy();
      reject(error);
    };

    function open(): Socket {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      let item: number | undefined;
      let sentAt = 0;
      let text = '';

      const ask = () => {
        sentAt = performance.now();
        item = sentAt < until ? next() : undefined;
        if (item === undefined) {
          busy -= 1;
          if (busy === 0) finish();
          return;
        }
        socket.write(request(item), 'latin1');
      };
      const read = (chunk: Buffer) => {
        text += chunk.toString('latin1');
        const answer = readAnswer(text);
        if (answer === undefined) return;
        times.push(performance.now() - sentAt);
        const { status, body, length } = answer;
        if (
          item === undefined ||
          status !== 200 ||
          text.length !== length ||
          !isRight(body, item)
        ) {
          fail(new Error(`Item ${item} was answered with:\n${text}`));
          return;
        }
        text = '';
        ask();
      };
      socket.on('data', (chunk) => {
        try {
          read(chunk);
        } catch (error) {
          fail(error as Error);
        }
      });
      socket.once('connect', () => {
        ready += 1;
        if (ready < connections) return;
        // All at once, so that no time is counted in which some are still being opened.
        begunAt = performance.now();
        until = begunAt + seconds * 1000;
        busy = connections;
        for (const start of starts) start();
      });
      starts.push(ask);
      socket.once('error', fail);
      socket.once('close', () => {
        if (busy > 0) fail(new Error('A connection was closed while it waited for an answer'));
      });
      return socket;
    }

    function finish(): void {
      const tookMs = performance.now() - begunAt;
      for (const socket of sockets) socket.destroy();
      resolve({ answers: times.length, seconds: tookMs / 1000, times });
    }

    const starts: (() => void)[] = [];
    for (let i = 0; i < connections; i++) sockets.push(open());
  });
}
