import ipaddr from 'ipaddr.js';

/** A range of addresses, as CIDR notation gives it. */
export type Cidr = [ipaddr.IPv4 | ipaddr.IPv6, number];

/** Whether an address lies in one of the ranges. An IPv4 address in IPv6 clothes is what it is. */
export function isWithin(address: string, ranges: readonly Cidr[]): boolean {
  if (!ipaddr.isValid(address)) return false;
  const ip = ipaddr.process(address);
  return ranges.some(([range, bits]) => range.kind() === ip.kind() && ip.match(range, bits));
}
