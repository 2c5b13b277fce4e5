import { type LookupAddress, lookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { Dispatcher, RequestInit, Response } from 'undici';
import { type Cidr, isWithin } from './addresses.ts';

/** The address may not be reached from here. */
export class AddressRefused extends Error {
  override readonly name = 'AddressRefused';
}

/** The answer comes in a form that was not asked for. */
export class EncodingRefused extends Error {
  override readonly name = 'EncodingRefused';
}

/** `fetch` for addresses that somebody else chose. */
export type Outbound = (
  url: string,
  init?: RequestInit,
  /** `unread`: only the status counts, so that it does not matter how the body comes. */
  body?: 'read' | 'unread',
) => Promise<Response>;

/** The longest body that is read, in bytes; reading a longer one fails. */
export const RESPONSE_BYTES_MAX = 256 * 1024;

/**
 * A `fetch` that reaches public addresses and, of the others, only those in `allow`. A name is
 * resolved once and the connection goes to the very address that was checked; a redirect is not
 * followed; proxies of the environment are not used.
 */
export function createOutbound(allow: readonly Cidr[]): Outbound {
  let ready:
    | Promise<Pick<typeof import('undici'), 'fetch' | 'Headers'> & { dispatcher: Dispatcher }>
    | undefined;

  async function load() {
    // Loaded on first use: most runs of the command line never call out.
    const { Agent, buildConnector, fetch, Headers } = await import('undici');
    const connect = buildConnector({ lookup: guardedLookup(allow) });
    const dispatcher = new Agent({
      maxResponseSize: RESPONSE_BYTES_MAX,
      connect: (options, callback) => {
        const host = options.hostname.replace(/^\[|\]$/g, '');
        if (isIP(host) !== 0 && !mayReach(host, allow)) {
          callback(new AddressRefused(REFUSED), null);
          return;
        }
        connect(options, callback);
      },
    });
    return { fetch, Headers, dispatcher };
  }

  return async (url, init = {}, body = 'read') => {
    ready ??= load();
    const { fetch, Headers, dispatcher } = await ready;
    const { protocol } = new URL(url);
    if (protocol !== 'http:' && protocol !== 'https:') {
      throw new AddressRefused(`Only http and https are allowed, not ${protocol}`);
    }
    try {
      const headers = new Headers(init.headers);
      // A few bytes can be packed that are gigabytes unpacked.
      headers.set('accept-encoding', 'identity');
      const response = await fetch(url, { ...init, headers, redirect: 'manual', dispatcher });
      const encoding = response.headers.get('content-encoding') ?? 'identity';
      if (encoding.toLowerCase() === 'identity' || body === 'unread') return response;
      await response.body?.cancel().catch(() => undefined);
      throw new EncodingRefused('Its answer is compressed, which was not asked for');
    } catch (error) {
      // undici wraps what went wrong.
      throw error instanceof TypeError && error.cause instanceof Error ? error.cause : error;
    }
  };
}

function guardedLookup(allow: readonly Cidr[]): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
      if (error !== null) return callback(error, '');
      const refused = addresses.find(({ address }) => !mayReach(address, allow));
      const first = addresses[0];
      if (refused !== undefined || first === undefined) {
        return callback(new AddressRefused(REFUSED), '');
      }
      if (options.all) return callback(null, addresses);
      callback(null, first.address, first.family);
    });
  };
}

/** Says nothing of what a name resolves to: the text goes to whoever chose the name. */
const REFUSED = 'Its address is not public and not in OUTBOUND_ALLOW';

/** What IANA gives out of IPv6; `::10.0.0.1`, an IPv4 address once more, lies outside. */
const globalUnicast = ipaddr.parseCIDR('2000::/3');

/**
 * What is wrong with a URL before anything is asked there; undefined where nothing is. A name is held
 * against the ranges when it is resolved.
 */
export function urlProblem(
  url: string,
  { allow, https }: { readonly allow: readonly Cidr[]; readonly https: boolean },
): string | undefined {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.protocol !== 'https:' && (https || parsed?.protocol !== 'http:')) {
    return https ? 'Must be a URL with https' : 'Must be a URL with http or https';
  }
  if (parsed.username !== '' || parsed.password !== '') return 'Must not carry a password';
  const host = parsed.hostname.replace(/^\[|\]$/g, '');
  return isIP(host) !== 0 && !mayReach(host, allow) ? REFUSED : undefined;
}

/** Whether an address is public, or in one of the ranges. */
export function mayReach(address: string, allow: readonly Cidr[]): boolean {
  // Reads an IPv4 address in IPv6 clothes as what it is.
  const ip = ipaddr.process(address);
  if (ip.range() === 'unicast' && (ip.kind() === 'ipv4' || ip.match(globalUnicast))) return true;
  return isWithin(address, allow);
}
