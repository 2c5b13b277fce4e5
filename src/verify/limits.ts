import ipaddr from 'ipaddr.js';
import type { Kysely } from 'kysely';
import type { Revocable, Tables, Target } from '../../db/tables.ts';
import { type Cidr, isWithin } from '../addresses.ts';
import { prepare } from '../database/prepare.ts';
import { append } from '../ledger.ts';
import { authMethods } from '../standing.ts';
import type { Writes } from '../writes.ts';

/** One range of addresses, as Infisical writes it. */
export interface TrustedIp {
  readonly ipAddress: string;
  readonly type: 'ipv4' | 'ipv6';
  /** Bits of the network; without it the address alone. */
  readonly prefix?: number;
}

/** From where and how often a token may be used. */
export interface Limits {
  readonly trustedIps: readonly TrustedIp[];
  /** 0: without limit. */
  readonly usesMax: number;
  readonly uses: number;
}

/** What the auth method above an access token sets; undefined where there is none. Read live. */
export async function limitsOf(
  db: Kysely<Tables>,
  [token, method]: readonly Revocable[],
): Promise<Limits | undefined> {
  if (token === undefined || method === undefined || !authMethods.has(method.kind))
    return undefined;
  const [row] = (await setting(db, { tokenId: token.id, methodId: method.id })).rows;
  if (row === undefined) return undefined;
  return {
    trustedIps: JSON.parse(row.access_token_trusted_ips) as TrustedIp[],
    usesMax: row.num_uses_limit ?? 0,
    uses: row.num_uses ?? 0,
  };
}

interface Setting {
  readonly access_token_trusted_ips: string;
  readonly num_uses: number | null;
  readonly num_uses_limit: number | null;
}

const setting = prepare<{ tokenId: string; methodId: string }, Setting>((db, slot) =>
  db
    .selectFrom('auth_methods')
    .leftJoin('access_tokens', (join) => join.on('access_tokens.id', '=', slot('tokenId')))
    .select(['access_token_trusted_ips', 'num_uses', 'num_uses_limit'])
    .where('auth_methods.id', '=', slot('methodId')),
);

/** What counting uses needs of the gateway. */
export interface UseCounter {
  readonly writes: Writes;
  readonly now: () => number;
  readonly newId: () => string;
  /** Says that the ledger has grown, and which targets are owed something. */
  readonly announce: (owed: readonly Target[]) => void;
}

/**
 * Counts one use on disk; whether there was one left. The use that leaves none is recorded with it, and
 * announced: nothing else would tell anybody that the token has ended.
 *
 * @param bearer whose token it is, as the ledger names them
 */
export async function spendUse(
  { writes, now, newId, announce }: UseCounter,
  token: Revocable,
  bearer: string,
): Promise<boolean> {
  let owed: readonly Target[] | undefined;
  const spent = await writes.run(async (tx) => {
    const counted = await tx
      .updateTable('access_tokens')
      .set((eb) => ({ num_uses: eb('num_uses', '+', 1) }))
      .where('id', '=', token.id)
      .whereRef('num_uses', '<', 'num_uses_limit')
      .returning(['num_uses', 'num_uses_limit'])
      .executeTakeFirst();
    if (counted === undefined) return false;
    if (counted.num_uses < counted.num_uses_limit) return true;
    ({ owed } = await append(tx, { ...usedUp(token, bearer), id: newId(), at_ms: now() }));
    return true;
  });
  if (owed !== undefined) announce(owed);
  return spent;
}

const usedUp = ({ id, organization_id }: Revocable, bearer: string) => ({
  organization_id,
  action: 'use-up',
  kind: 'access-token',
  target_id: id,
  target: id,
  outcome: 'done',
  refusal: null,
  reason: null,
  comment: null,
  actor: bearer,
  actor_id: id,
  surface: 'gateway',
  request_id: '',
});

/** Whether an address is one of those from which a token may be used. */
export const isTrusted = (address: string, trusted: readonly TrustedIp[]): boolean =>
  isWithin(address, trusted.map(toCidr));

/** `10.0.0.0/8`, or an address alone. */
export const ipText = ({ ipAddress, prefix }: TrustedIp): string =>
  prefix === undefined ? ipAddress : `${ipAddress}/${prefix}`;

/** Whether every address is in one of the ranges. */
export const isEverywhere = (trusted: readonly TrustedIp[]): boolean =>
  ['ipv4', 'ipv6'].every((type) => trusted.some((ip) => ip.type === type && ip.prefix === 0));

function toCidr({ ipAddress, prefix }: TrustedIp): Cidr {
  const ip = ipaddr.parse(ipAddress);
  return [ip, prefix ?? (ip.kind() === 'ipv4' ? 32 : 128)];
}

/** Reads `10.0.0.0/8` or an address alone; undefined where it is neither. */
export function parseTrustedIp(text: string): TrustedIp | undefined {
  try {
    if (ipaddr.isValid(text) && !text.includes('/')) {
      return { ipAddress: text, type: ipaddr.parse(text).kind() };
    }
    const [ip, prefix] = ipaddr.parseCIDR(text);
    return { ipAddress: text.slice(0, text.indexOf('/')), type: ip.kind(), prefix };
  } catch {
    return undefined;
  }
}

/** Everywhere, unless said. */
export const anywhere: readonly TrustedIp[] = [
  { ipAddress: '0.0.0.0', type: 'ipv4', prefix: 0 },
  { ipAddress: '::', type: 'ipv6', prefix: 0 },
];
