import ipaddr from 'ipaddr.js';

/** A range of addresses, as CIDR notation gives it. */
export type Cidr = [ipaddr.IPv4 | ipaddr.IPv6, number];

/** Whether an address lies in one of the ranges. IPv4 in IPv6 clothes is what it is, on both sides. */
export function isWithin(address: string, ranges: readonly Cidr[]): boolean {
  if (!ipaddr.isValid(address)) return false;
  const ip = ipaddr.process(address);
  return ranges
    .map(undressed)
    .some(([range, bits]) => range.kind() === ip.kind() && ip.match(range, bits));
}

const MAPPED_BITS = 96;

const undressed = ([range, bits]: Cidr): Cidr =>
  range instanceof ipaddr.IPv6 && range.isIPv4MappedAddress() && bits >= MAPPED_BITS
    ? [range.toIPv4Address(), bits - MAPPED_BITS]
    : [range, bits];

/** An address as some proxies write it into `X-Forwarded-For`, with a port or in brackets, without these. */
export const withoutPort = (written: string): string =>
  /^\[(.*)\](?::\d+)?$/.exec(written)?.[1] ?? /^([\d.]+):\d+$/.exec(written)?.[1] ?? written;
