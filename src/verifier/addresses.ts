import { BlockList, isIP } from 'node:net';

type Family = 'ipv4' | 'ipv6';

/** What an IPv4 address in IPv6 clothes begins with, as a URL spells it, and how many bits that are. */
const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/;
const MAPPED_BITS = 96;

/** Whether an address lies in one of the ranges (`10.0.0.0/8`, or an address alone); one that is not given lies in none. */
export function trusting(ranges: readonly string[]): (address: string | undefined) => boolean {
  const lists = { ipv4: new BlockList(), ipv6: new BlockList() };
  for (const range of ranges) {
    const [text = '', bits] = range.split('/');
    const read = readAddress(text);
    if (read === undefined) continue;
    const whole = isIP(text) === 4 ? 32 : 128;
    const prefix = bits === undefined ? whole : Number(bits);
    const clothed = whole === 128 && read.family === 'ipv4';
    // A range that holds more than the mapped addresses is one of IPv6.
    if (clothed && prefix < MAPPED_BITS) lists.ipv6.addSubnet(bare(text), prefix, 'ipv6');
    else {
      lists[read.family].addSubnet(
        read.address,
        clothed ? prefix - MAPPED_BITS : prefix,
        read.family,
      );
    }
  }
  return (address) => {
    const read = address === undefined ? undefined : readAddress(address);
    return read !== undefined && lists[read.family].check(read.address, read.family);
  };
}

/** The zone of an address says through which interface, not who. */
const bare = (text: string) => text.replace(/%.*$/, '');

/** An IPv4 address in IPv6 clothes is what it is. */
function readAddress(text: string): { address: string; family: Family } | undefined {
  const address = bare(text);
  const version = isIP(address);
  if (version === 0) return undefined;
  if (version === 4) return { address, family: 'ipv4' };
  const halves = mapped.exec(new URL(`http://[${address}]`).hostname.slice(1, -1));
  if (halves === null) return { address, family: 'ipv6' };
  const bytes = halves.slice(1).flatMap((half) => {
    const number = Number.parseInt(half, 16);
    return [number >> 8, number & 255];
  });
  return { address: bytes.join('.'), family: 'ipv4' };
}
