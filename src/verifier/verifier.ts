import { hash } from 'node:crypto';
import type { Clock } from './clock.ts';
import type { Introspections } from './introspections.ts';
import type { Jwts } from './jwt.ts';
import type { Settings } from './options.ts';
import type { Revocations } from './revocations.ts';
import { type Credential, type Known, type Reason, refused, type Verdict } from './verdict.ts';

/** In what situation a credential is presented. */
export interface Circumstances {
  /** From where: an IPv4 or IPv6 address. Without it, what is limited to addresses is refused. */
  readonly address?: string | undefined;
}

export type Verify = (presented: string, circumstances?: Circumstances) => Promise<Verdict>;

/** Longer values are no credentials, in characters. */
const PRESENTED_CHARS_MAX = 16_384;

export interface VerifyParts {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly revocations: Revocations;
  readonly jwts: Jwts;
  readonly introspections: Introspections;
  /** Whether the gateway has said that this is no enforcement point of it, or none any more. */
  readonly disowned: () => boolean;
  readonly closing: AbortSignal;
}

/** For how many milliseconds nothing current is known; undefined: what is known is current. */
export function staleForMs(clock: Clock, { staleAfterMs }: Settings): number | undefined {
  const ageMs = clock.ageMs() ?? Number.POSITIVE_INFINITY;
  return ageMs > staleAfterMs ? ageMs : undefined;
}

/** Decides whether what is presented is good, from what is known here where that is enough. */
export function createVerify(parts: VerifyParts): Verify {
  const { settings, clock, revocations, jwts, introspections, disowned, closing } = parts;
  const strict = settings.whenStale === 'strict';

  /** Before the first snapshot nothing is known here, and everything is asked. */
  const knowsNothing = () => revocations.position() === undefined;

  async function decide(presented: string): Promise<Known | Reason> {
    const key = hash('sha256', presented, 'base64url');
    if (knowsNothing()) return await introspections.ask(presented, key);
    const kept = introspections.kept(key);
    if (kept !== undefined) return kept;
    const signed = await jwts.check(presented, key);
    if (typeof signed === 'string') return signed;
    if (signed !== undefined) {
      if (revocations.isRevoked(signed.chain)) return 'revoked';
      if (!revocations.isLimited(signed.chain)) return signed;
    }
    return await introspections.ask(presented, key);
  }

  return async (presented, { address } = {}) => {
    if (closing.aborted) return refused('unavailable');
    if (disowned()) return refused('stale');
    if (strict && staleForMs(clock, settings) !== undefined) return refused('stale');
    if (!isPresentable(presented)) return refused('invalid');
    const known = await decide(presented);
    if (typeof known === 'string') return refused(known);
    // Asking takes its time.
    const staleMs = staleForMs(clock, settings);
    if (strict && staleMs !== undefined) return refused('stale');
    if (known.isTrusted?.(address) === false) return refused('wrong-address');
    return { ...copyOf(known.credential), ok: true, stale: staleOf(known, staleMs) };
  };

  /** What the gateway has said just now is as old as the question. */
  function staleOf({ askedAtMs }: Known, staleMs: number | undefined) {
    if (staleMs === undefined) return false;
    const ageMs = askedAtMs === undefined ? staleMs : performance.now() - askedAtMs;
    return ageMs > settings.staleAfterMs && { forMs: Math.ceil(Math.min(ageMs, staleMs)) };
  }
}

/** What is kept is nobody else's to change. */
const copyOf = (credential: Credential): Credential => ({
  ...credential,
  permissions: [...credential.permissions],
  ...(Array.isArray(credential.aud) && { aud: [...(credential.aud as readonly string[])] }),
});

/** Whether it could be a credential: what stands in a header in one piece (RFC 9110, 5.5). */
const isPresentable = (presented: unknown): presented is string =>
  typeof presented === 'string' &&
  presented.length <= PRESENTED_CHARS_MAX &&
  /^[\x21-\x7e]+$/.test(presented);
