import { setTimeout as pause } from 'node:timers/promises';
import type { FastifyReply } from 'fastify';

/** A stream of events to one client (Server-Sent Events). */
export interface EventStream {
  /** Aborts once nothing more can be sent. */
  readonly signal: AbortSignal;
  /** Sends; false where the client has not read what was sent before. */
  send(events: string): boolean;
  /** Resolves with true once the client has read enough, and with false after a while. */
  drained(withinMs: number): Promise<boolean>;
  /** Ends it behind what was sent. */
  end(): void;
  /** Ends it at once. */
  cut(): void;
}

/** One event. `id` is what the client sends back as `Last-Event-ID`. */
export const eventText = (event: string, data: object, id?: string): string =>
  `event: ${event}\n${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`;

/** Answers with a stream of events. From then on the reply is the stream's. */
export function openEventStream(reply: FastifyReply): EventStream {
  const { raw } = reply.hijack();
  const ended = new AbortController();
  raw.once('close', () => ended.abort());
  // What is wrong with a connection closes it.
  raw.on('error', () => undefined);
  raw.writeHead(200, {
    ...(reply.getHeaders() as Record<string, string>),
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
    // The connection ends with the stream, whether or not the client goes on to use it.
    connection: 'close',
  });
  raw.flushHeaders();
  if (raw.destroyed) ended.abort();

  return {
    signal: ended.signal,
    send: (events) => ended.signal.aborted || raw.write(events),
    async drained(withinMs) {
      if (ended.signal.aborted || !raw.writableNeedDrain) return true;
      const done = new AbortController();
      const { signal } = done;
      const drained = new Promise<boolean>((resolve) => {
        const finish = () => resolve(true);
        raw.once('drain', finish);
        ended.signal.addEventListener('abort', finish, { signal });
        signal.addEventListener('abort', () => raw.off('drain', finish));
      });
      const late = pause(withinMs, false, { signal }).catch(() => false);
      const result = await Promise.race([drained, late]);
      done.abort();
      return result;
    },
    end: () => void raw.end(),
    cut: () => void raw.destroy(),
  };
}
