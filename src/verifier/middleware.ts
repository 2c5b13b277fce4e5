import { STATUS_CODES } from 'node:http';
import type { Verifier } from './index.ts';
import { type Accepted, type Reason, refused, type Verdict } from './verdict.ts';

/** What the middleware of every framework takes. */
export interface RequireOptions {
  /** The header whose whole value is the credential, such as `x-api-key`; `Authorization: Bearer` unless said. */
  readonly header?: string;
  /** What the credential may be, such as `api-key`; every other is `invalid`. All unless said. */
  readonly kinds?: readonly string[];
  /** What the credential must be allowed to do: all of these, each spelt as its `permissions` spell it. */
  readonly permissions?: readonly string[];
}

/** What a framework tells of a request. */
export interface Presented {
  /** The value of the header in which the credential stands. */
  readonly value: string | undefined;
  readonly address: string | undefined;
}

/** A no, as it is answered: a problem (RFC 9457) with the challenge of RFC 6750. */
export interface Denial {
  readonly status: 401 | 403 | 503;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const RETRY_AFTER_S = 1;

const details: Record<Reason | 'missing', string> = {
  missing: 'The request carries no credential.',
  invalid: 'The credential is not good.',
  expired: 'The credential has expired.',
  revoked: 'The credential has been revoked.',
  'wrong-address': 'The credential may not be used from this address.',
  stale: 'Whether the credential is good cannot be told for now. Try again.',
  unavailable: 'Whether the credential is good cannot be told for now. Try again.',
};

/** The header in which the credential stands. */
export const headerOf = ({ header = 'authorization' }: RequireOptions): string =>
  header.toLowerCase();

/** Lets a request in with what its credential says, or says how it is refused. */
export async function admit(
  verifier: Verifier,
  options: RequireOptions,
  { value, address }: Presented,
): Promise<Accepted | Denial> {
  const credential =
    headerOf(options) === 'authorization' ? /^bearer +(\S+)$/i.exec(value ?? '')?.[1] : value;
  // Who presents nothing is told how, and not that it is wrong (RFC 6750, 3.1).
  if (!credential) return challenge('missing', 'Bearer');
  const given = await verifier.verify(credential, { address });
  const verdict = isOfKind(given, options) ? given : refused('invalid');
  if (!verdict.ok) {
    const { reason } = verdict;
    if (reason !== 'stale' && reason !== 'unavailable') {
      return challenge(reason, 'Bearer error="invalid_token"');
    }
    return denial(503, details[reason], { reason }, { 'retry-after': String(RETRY_AFTER_S) });
  }
  const { permissions = [] } = options;
  const missing = permissions.filter((permission) => !verdict.permissions.includes(permission));
  if (missing.length === 0) return verdict;
  // RFC 6750, 3: a scope cannot hold whatever a permission can.
  const tokens = permissions.filter((each) => /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(each));
  const scope = `scope="${tokens.join(' ')}"`;
  const asked = { 'www-authenticate': `Bearer error="insufficient_scope", ${scope}` };
  const detail = `The credential lacks the permission ${missing.join(', ')}.`;
  return denial(403, detail, { missingPermissions: missing }, asked);
}

const isOfKind = (verdict: Verdict, { kinds }: RequireOptions) =>
  !verdict.ok || kinds === undefined || kinds.includes(verdict.kind);

const challenge = (reason: Reason | 'missing', words: string) =>
  denial(401, details[reason], { reason }, { 'www-authenticate': words });

function denial(
  status: Denial['status'],
  detail: string,
  more: object,
  headers: Record<string, string>,
): Denial {
  return {
    status,
    headers: {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      ...headers,
    },
    body: JSON.stringify({
      ...{ type: 'about:blank', title: STATUS_CODES[status], status, detail },
      ...more,
    }),
  };
}
