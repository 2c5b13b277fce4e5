import { setTimeout as wait } from 'node:timers/promises';
import pRetry from 'p-retry';
import { StartError } from '../../start-error.ts';
import type { Connection } from './connection.ts';
import { printable, say } from './screen.ts';

/** How long one request may take. */
const REQUEST_TIMEOUT_MS = 60_000;

/** For how long it is asked again where a gateway that was there is not, or says to come back. */
export const PATIENCE_MS = 30_000;

/** The pause before it is asked again the first time; it doubles each further time. */
const RETRY_FIRST_MS = 250;

/** That pause at the most. */
const RETRY_MAX_MS = 5_000;

/** Why there is no answer, for people. */
export class Unanswered extends StartError {
  /** Whether there may be one later. */
  readonly passing: boolean;
  /** What the gateway said of how much later. */
  readonly retryAfterMs: number;

  constructor(message: string, { passing = false, retryAfterMs = 0 } = {}) {
    super(message);
    this.passing = passing;
    this.retryAfterMs = retryAfterMs;
  }
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Readonly<Record<string, unknown>>;
}

/** What is asked for. */
export interface Post {
  readonly path: string;
  readonly type: string;
  readonly body: string;
}

export interface AskOptions {
  readonly signal?: AbortSignal;
  /** For how long to go on; as long as it takes, where it is `Infinity`. */
  readonly patienceMs?: number;
  /** Throws where what is answered is no answer. */
  readonly check?: (answer: Answer) => void;
}

/**
 * Asks until there is an answer that is worth reading. Everything that is asked so may be asked twice: a
 * revocation that was done is answered as done before.
 */
export async function post(
  connection: Connection,
  asked: Post,
  { signal, patienceMs = PATIENCE_MS, check }: AskOptions = {},
): Promise<Answer> {
  const until = performance.now() + patienceMs;
  let said = false;
  const attempt = async () => {
    const answer = await once(connection, asked, signal);
    check?.(answer);
    return answer;
  };
  const answer = await pRetry(attempt, {
    ...{ retries: Number.POSITIVE_INFINITY, maxRetryTime: patienceMs, randomize: true },
    ...{ minTimeout: RETRY_FIRST_MS, maxTimeout: RETRY_MAX_MS },
    ...(signal && { signal }),
    shouldRetry: ({ error }) => error instanceof Unanswered && error.passing,
    onFailedAttempt: async ({ error }) => {
      if (!(error instanceof Unanswered && error.passing)) return;
      const { retryAfterMs, message } = error;
      if (performance.now() + retryAfterMs > until) {
        throw new Unanswered(`${message}${retryAfterMs > patienceMs ? '' : ' Given up.'}`);
      }
      if (!said) {
        const forLong =
          patienceMs === Number.POSITIVE_INFINITY ? '' : ` for up to ${patienceMs / 1_000} s`;
        say(`${message} Trying again${forLong}.`);
      }
      said = true;
      await wait(retryAfterMs, undefined, signal && { signal });
    },
  });
  if (said) say('Answered again.');
  return answer;
}

async function once(
  connection: Connection,
  { path, type, body }: Post,
  signal: AbortSignal | undefined,
): Promise<Answer> {
  const { url, token } = connection;
  const timeout = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
  try {
    const response = await fetch(`${url}${path}`, {
      method: 'POST',
      headers: {
        ...{ authorization: `Bearer ${token}`, 'content-type': type },
        accept: 'application/json',
      },
      body,
      // Whoever it leads to would be sent the token, or the value.
      redirect: 'manual',
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
    });
    const text = await response.text();
    connection.reached = true;
    return read(connection, response, text);
  } catch (error) {
    if (error instanceof StartError || signal?.aborted) throw signal?.reason ?? error;
    throw broken(connection, error, timeout.aborted);
  }
}

function read({ url }: Connection, { status, headers }: Response, text: string): Answer {
  if ([429, 502, 503, 504].includes(status)) {
    const after = headers.get('retry-after');
    const retryAfterMs = retryAfter(after);
    const later =
      after === null ? '' : `, and says to come back in ${Math.ceil(retryAfterMs / 1_000)} s`;
    throw new Unanswered(`${url} cannot answer for now (${status}${later}).`, {
      ...{ passing: true, retryAfterMs },
    });
  }
  if (status >= 300 && status < 400) {
    const to = printable(headers.get('location') ?? 'nowhere');
    throw new Unanswered(
      `${url} leads elsewhere (${status}, ${to}): say with --url where the gateway is.`,
    );
  }
  const id = headers.get('x-request-id');
  if (status >= 500) {
    throw new Unanswered(
      `${url} has a fault (${status}); its log says more under ${printable(id ?? 'this time')}.`,
      { passing: true },
    );
  }
  const body = status === 404 || status === 405 ? undefined : parsed(text);
  if (body === undefined) {
    throw new Unanswered(
      `What is at ${url} is no revocation gateway (${status}): say with --url where it is.`,
    );
  }
  return { status, headers, body };
}

/** A JSON object; undefined where it is none. */
function parsed(text: string): Answer['body'] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Answer['body']) : undefined;
  } catch {
    return undefined;
  }
}

/** Seconds or a date (RFC 9110); at once where it says neither. */
function retryAfter(value: string | null): number {
  const ms = /^\d+$/.test(value ?? '')
    ? Number(value) * 1_000
    : Date.parse(value ?? '') - Date.now();
  return Math.max(0, ms || 0);
}

/** What a connection that did not come to be, or broke, means, and what to do. */
function broken(connection: Connection, error: unknown, timedOut: boolean): Unanswered {
  const { url, reached } = connection;
  if (timedOut) {
    return new Unanswered(`${url} did not answer within ${REQUEST_TIMEOUT_MS / 1_000} s.`);
  }
  const { cause } = error as { cause?: { code?: string; message?: string } };
  const code = cause?.code ?? cause?.message ?? (error as Error).message;
  const because = `(${code})`;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID' || code === 'CERT_HAS_EXPIRED') {
    return new Unanswered(
      `The certificate of ${url} is for another name, or has expired ${because}.`,
    );
  }
  if (/CERT|UNABLE_TO_(GET|VERIFY)|SELF_SIGNED/.test(code)) {
    return new Unanswered(
      `The certificate of ${url} is not trusted ${because}: set NODE_EXTRA_CA_CERTS to a file that has it, or that of its CA.`,
    );
  }
  if (/^(ERR_SSL|EPROTO)/.test(code)) {
    return new Unanswered(`${url} does not speak TLS ${because}: is it http:?`);
  }
  if (/^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH)$/.test(code)) {
    return new Unanswered(
      `Nothing answers at ${url} ${because}: start the gateway, or say with --url or GATEWAY_URL where it is.`,
      { passing: reached },
    );
  }
  // Somebody was there, and what became of the request is not known.
  connection.reached = true;
  return new Unanswered(`The connection to ${url} broke ${because}.`, { passing: true });
}
