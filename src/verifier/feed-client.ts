import { setTimeout as pause } from 'node:timers/promises';
import { createParser } from 'eventsource-parser';
import type { Clock } from './clock.ts';
import { VerifierError } from './errors.ts';
import { type Change, type FeedEvent, readEvent, type Snapshot } from './feed-events.ts';
import type { Gateway } from './gateway.ts';

/** What is done with what the feed tells, in its order, before anything else is read. */
export interface FeedListener {
  /** Before the first connection, until it does not throw; beside every later one. */
  connecting(): Promise<void>;
  replace(snapshot: Snapshot): void;
  apply(change: Change): void;
  advance(position: number): void;
  /** Whose signatures count by now. */
  keysAre(keyIds: readonly string[]): void;
  /** Whether the next connection should begin with a snapshot. */
  isCrowded(): boolean;
  /** Why the feed is not followed for now. */
  failed(error: VerifierError): void;
}

export interface FeedOptions {
  readonly gateway: Gateway;
  readonly clock: Clock;
  readonly staleAfterMs: number;
  readonly closing: AbortSignal;
  readonly listener: FeedListener;
}

export interface Feed {
  /** How often the feed was followed anew. */
  reconnects(): number;
  /** Resolves once nothing is read any more. */
  readonly ended: Promise<void>;
}

/** It speaks every 500 ms: a stream that is silent, or late, for longer is broken. */
const SILENCE_MAX_MS = 2_000;

const RETRY_FIRST_MS = 100;
const RETRY_MAX_MS = 2_000;

/** Characters of one event that are waited for, at the most. */
const EVENT_CHARS_MAX = 1_000_000;

/** Follows the feed until the signal aborts; a stream that ends, fails or falls behind is taken up where it broke off. */
export function followFeed(options: FeedOptions): Feed {
  const { gateway, clock, staleAfterMs, closing, listener } = options;
  const patienceMs = Math.min(staleAfterMs, SILENCE_MAX_MS);
  let lastEventId: string | undefined;
  let connections = 0;
  let failures = 0;

  async function run(): Promise<void> {
    let introduced = false;
    while (!closing.aborted) {
      try {
        if (introduced) void listener.connecting().catch(() => undefined);
        else await listener.connecting();
        introduced = true;
        await connect();
        failures += 1;
      } catch (error) {
        failures += 1;
        if (!closing.aborted) listener.failed(asVerifierError(error));
      }
      await pause(retryInMs(failures), undefined, { signal: closing }).catch(() => undefined);
    }
  }

  /** Reads one stream to its end. */
  async function connect(): Promise<void> {
    clock.connecting();
    const reader = (await gateway.openFeed(lastEventId)).getReader();
    connections += 1;
    let silent = false;
    const end = () => void reader.cancel().catch(() => undefined);
    const watchdog = setTimeout(() => {
      silent = true;
      end();
    }, patienceMs);
    closing.addEventListener('abort', end);
    try {
      const events = createEvents();
      const decoder = new TextDecoder();
      for (let read = await reader.read(); !read.done; read = await reader.read()) {
        watchdog.refresh();
        events.feed(decoder.decode(read.value, { stream: true }));
      }
      if (silent) throw new VerifierError('unreachable', 'The feed has fallen silent');
    } finally {
      clearTimeout(watchdog);
      closing.removeEventListener('abort', end);
      end();
    }
  }

  /** Takes what one stream says. */
  function createEvents() {
    const snapshot: { revoked: string[]; limited: string[] } = { revoked: [], limited: [] };
    let firstLagMs: number | undefined;

    function take({ event, data }: FeedEvent): void {
      if (event === 'change') listener.apply(data);
      else if (event === 'snapshot') {
        snapshot.revoked.push(...data.revoked);
        snapshot.limited.push(...data.limited);
        if (data.more) return;
        listener.replace({ ...data, ...snapshot });
        clock.caughtUp();
      } else {
        listener.advance(data.position);
        if (data.keys !== undefined) listener.keysAre(data.keys);
        const lagMs = clock.heard(data.now);
        firstLagMs ??= lagMs;
        if (lagMs > Math.min(patienceMs, firstLagMs + patienceMs / 2)) {
          throw new VerifierError('unreachable', `The feed comes ${Math.round(lagMs)} ms late`);
        }
        failures = 0;
      }
      if (!listener.isCrowded()) return;
      lastEventId = undefined;
      throw new VerifierError('unreachable', 'The feed is asked for a snapshot');
    }

    return createParser({
      maxBufferSize: EVENT_CHARS_MAX,
      onEvent(message) {
        const event = readEvent(message);
        if (event !== undefined) take(event);
        // Only what was applied need not be told again.
        if (message.id !== undefined && message.id !== '') lastEventId = message.id;
      },
      onError(error) {
        if (error.type === 'max-buffer-size-exceeded') throw error;
      },
    });
  }

  return {
    reconnects: () => Math.max(connections - 1, 0),
    ended: run(),
  };
}

/** A stream that ends in peace is taken up at once, and not by all at the same moment. */
const retryInMs = (failures: number) =>
  Math.min(RETRY_FIRST_MS * 2 ** Math.max(failures - 1, 0), RETRY_MAX_MS) *
  (0.5 + Math.random() / 2);

const asVerifierError = (error: unknown) =>
  error instanceof VerifierError
    ? error
    : new VerifierError('unreachable', `The feed broke off: ${(error as Error).message}`, {
        cause: error,
      });
