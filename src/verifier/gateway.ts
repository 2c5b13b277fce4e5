import type { JSONWebKeySet } from 'jose';
import { VerifierError } from './errors.ts';
import type { Settings } from './options.ts';

/** What a verifier must know of its gateway, beside the feed. */
export interface Metadata {
  readonly issuer: string;
  readonly keys: JSONWebKeySet;
  /** The enforcement point itself and its organization. */
  readonly ownChain: readonly string[];
}

/** What the gateway says of a value; `active` alone where it is not good. */
export interface Introspection {
  readonly active: boolean;
  readonly [member: string]: unknown;
}

/** The gateway, as an enforcement point asks it. Everything throws `VerifierError`. */
export interface Gateway {
  metadata(): Promise<Metadata>;
  introspect(value: string): Promise<Introspection>;
  /** Says that everything up to this entry is applied. */
  acknowledge(seq: number): Promise<void>;
  /** Opens the feed, behind an event where one is named; its bytes, for as long as it lasts. */
  openFeed(lastEventId: string | undefined): Promise<ReadableStream<Uint8Array>>;
}

export function createGateway(
  { url, token, timeoutMs, fetch }: Settings,
  closing: AbortSignal,
): Gateway {
  const authorization = `Bearer ${token}`;

  /** Asks, and reads the answer, within the time that there is. */
  async function ask<T>(
    address: string,
    init: RequestInit,
    read: (response: Response) => T | Promise<T>,
  ): Promise<T> {
    const late = new AbortController();
    const timer = setTimeout(
      () => late.abort(new Error(`no answer in ${timeoutMs} ms`)),
      timeoutMs,
    );
    const signal = AbortSignal.any([closing, late.signal]);
    try {
      // A redirect would take the token, and what is asked about, somewhere else.
      const response = await fetch(address, { ...init, redirect: 'manual', signal });
      if (response.ok) return await read(response);
      await response.body?.cancel();
      throw refusal(response.status, address);
    } catch (error) {
      if (error instanceof VerifierError) throw error;
      if (closing.aborted) throw new VerifierError('closed', 'The verifier is closed');
      const text = `The gateway cannot be asked at ${address}: ${because(error)}`;
      throw new VerifierError('unreachable', text, { cause: error });
    } finally {
      clearTimeout(timer);
    }
  }

  function refusal(status: number, address: string): VerifierError {
    if (status === 401 || status === 403) {
      const text = `The gateway does not take the token for that of an enforcement point (${status} at ${address})`;
      return new VerifierError('unauthorized', text);
    }
    const text = `The gateway answers ${status} at ${address}`;
    const passes = status >= 500 || status === 429 || status === 408;
    return new VerifierError(passes ? 'unreachable' : 'not-a-gateway', text);
  }

  async function json(response: Response): Promise<Record<string, unknown>> {
    const text = await response.text();
    try {
      const read: unknown = JSON.parse(text);
      if (typeof read === 'object' && read !== null) return read as Record<string, unknown>;
    } catch {
      // Said below.
    }
    throw new VerifierError('not-a-gateway', `What answers at ${response.url} is no gateway`);
  }

  async function introspect(value: string): Promise<Introspection> {
    const init = {
      method: 'POST',
      headers: { authorization, accept: 'application/json' },
      body: new URLSearchParams({ token: value }),
    };
    const said = await ask(`${url}/oauth/introspect`, init, json);
    return { ...said, active: said.active === true };
  }

  return {
    introspect,
    async metadata() {
      const read = ask(`${url}/.well-known/oauth-authorization-server`, {}, json);
      const [{ issuer, jwks_uri }, own] = await Promise.all([read, introspect(token)]);
      const chain = chainOf(own);
      if (typeof issuer !== 'string' || typeof jwks_uri !== 'string') {
        throw new VerifierError('not-a-gateway', `What answers at ${url} is no gateway`);
      }
      if (chain === undefined) {
        const text = `The gateway at ${url} does not take the token for that of an enforcement point`;
        throw new VerifierError('unauthorized', text);
      }
      // The gateway may be reached here by another address than the one that it publishes.
      const address = jwks_uri.startsWith(`${issuer}/`)
        ? url + jwks_uri.slice(issuer.length)
        : jwks_uri;
      const keys = (await ask(address, {}, json)) as unknown as JSONWebKeySet;
      return { issuer, keys, ownChain: chain };
    },
    acknowledge: (seq) =>
      ask(
        `${url}/feed/acknowledgement`,
        {
          method: 'POST',
          headers: { authorization, 'content-type': 'application/json' },
          body: JSON.stringify({ seq }),
        },
        async (response) => void (await response.arrayBuffer()),
      ),
    openFeed(lastEventId) {
      const position = lastEventId === undefined ? undefined : { 'last-event-id': lastEventId };
      // What is compressed on its way waits there until there is more of it.
      const whole = { accept: 'text/event-stream', 'accept-encoding': 'identity' };
      const headers = { authorization, ...whole, ...position };
      return ask(`${url}/feed`, { headers }, ({ headers, body }) => {
        if (body !== null && headers.get('content-type')?.startsWith('text/event-stream')) {
          return body;
        }
        throw new VerifierError('not-a-gateway', `There is no feed at ${url}/feed`);
      });
    },
  };
}

/** The ids that a value stands on, where the gateway tells them: to enforcement points alone. */
export function chainOf({ active, chain }: Introspection): readonly string[] | undefined {
  const told = active && Array.isArray(chain) && chain.length > 0;
  return told && chain.every((id) => typeof id === 'string') ? chain : undefined;
}

/** What fetch wraps says more than fetch. */
function because(error: unknown): string {
  const { cause, message } = error as Error;
  return cause instanceof Error && cause.message !== '' ? cause.message : message;
}
