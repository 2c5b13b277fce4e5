/** A credential that is good: RFC 7662's members as the gateway gives them, and what a service asks most. */
export interface Credential {
  /** What it is: `access-token`, `api-key`, `service-account-token`, `trusted-token`, … */
  readonly kind: string;
  /** The slug of the organization. */
  readonly organization: string;
  /** What it may do; `scope` as a list, unless the credential itself has a list. */
  readonly permissions: readonly string[];
  /** The permissions, divided by blanks (RFC 6749, 3.3). */
  readonly scope?: string;
  /** Whom it speaks for. */
  readonly sub?: string;
  readonly client_id?: string;
  readonly username?: string;
  /** Times in seconds since 1970. */
  readonly exp?: number;
  readonly iat?: number;
  readonly nbf?: number;
  readonly iss?: string;
  readonly aud?: string | readonly string[];
  /** The id with which it is revoked. */
  readonly jti?: string;
}

/** A yes. */
export interface Accepted extends Credential {
  readonly ok: true;
  /** False: nothing that was revoked is missed. Else for how long, in milliseconds, nothing current is known. */
  readonly stale: false | { readonly forMs: number };
}

/**
 * Why not:
 *
 * - `invalid`: the gateway does not know it as good; it says no more
 * - `expired`, `revoked`: so; of itself, or of what it stands on
 * - `wrong-address`: it may not be used from this address, or the address was not given
 * - `stale`: `strict`, and nothing current is known of revocations
 * - `unavailable`: it is not known here, and the gateway cannot be asked
 *
 * The last two say nothing of the credential: answer 503, not 401.
 */
export type Reason = 'invalid' | 'expired' | 'revoked' | 'wrong-address' | 'stale' | 'unavailable';

/** A no. */
export interface Refused {
  readonly ok: false;
  readonly reason: Reason;
}

/** Whether what was presented is good. */
export type Verdict = Accepted | Refused;

export const refused = (reason: Reason): Refused => ({ ok: false, reason });

/** A credential that is good as far as the gateway, or its signature, tells. */
export interface Known {
  readonly credential: Credential;
  /** The ids of all that it stands on, its own first. */
  readonly chain: readonly string[];
  /** Whether it may be used from this address; undefined: from everywhere. */
  readonly isTrusted?: ((address: string | undefined) => boolean) | undefined;
  /** When the gateway was asked, by the clock of `performance.now()`, where it was asked just now. */
  readonly askedAtMs?: number | undefined;
}
