import { LRUCache } from 'lru-cache';
import { trusting } from './addresses.ts';
import type { Clock } from './clock.ts';
import { VerifierError } from './errors.ts';
import { chainOf, type Gateway, type Introspection } from './gateway.ts';
import { isTexts } from './jwt.ts';
import type { Settings } from './options.ts';
import type { Revocations, Standing } from './revocations.ts';
import type { Turns } from './turns.ts';
import type { Credential, Known, Reason } from './verdict.ts';

/** What the gateway says of values that cannot be judged here, kept until the feed or the time ends it. */
export interface Introspections {
  /** What is kept and still true; a reason where it no longer is; undefined where nothing is kept. */
  kept(key: string): Known | Reason | undefined;
  /** Asks, once for all that want to know the same at the same time, and keeps a yes. */
  ask(value: string, key: string): Promise<Known | Reason>;
  /** Forgets everything. */
  clear(): void;
  size(): number;
}

/** An answer that changes overtake is asked for anew, so often in all. */
const ASKS_MAX = 3;

interface Verdict extends Known {
  readonly standing: Standing;
  /** From when on it does not count, by the gateway's clock, and what is said of it then. */
  readonly endsAtMs: number;
  readonly afterwards: 'expired' | undefined;
}

export function createIntrospections(
  { cacheMax }: Settings,
  gateway: Gateway,
  clock: Clock,
  revocations: Revocations,
  turns: Turns,
): Introspections {
  // By the hash of each value: no secret is kept.
  const verdicts = new LRUCache<string, Verdict>({ max: cacheMax });
  const asked = new Map<string, Promise<Known | Reason>>();

  function kept(key: string): Known | Reason | undefined {
    const verdict = verdicts.get(key);
    if (verdict === undefined) return undefined;
    if (revocations.isRevoked(verdict.chain)) return 'revoked';
    if (!revocations.isOutdated(verdict.standing)) {
      if (verdict.endsAtMs > clock.nowMs()) return verdict;
      if (verdict.afterwards !== undefined) return verdict.afterwards;
    }
    verdicts.delete(key);
    return undefined;
  }

  async function ask(value: string, key: string): Promise<Known | Reason> {
    for (let asks = 1; asks <= ASKS_MAX; asks++) {
      const askedAtMs = performance.now();
      const nowMs = clock.nowMs();
      const position = revocations.position() ?? 0;
      const said = await turns.take(() => gateway.introspect(value));
      if (!said.active) return 'invalid';
      const known = { ...knownOf(said), askedAtMs };
      const standing = standingOf(said, known.chain, position);
      // What the feed has told while the answer was on its way may not be in it.
      if (revocations.isRevoked(known.chain)) return 'revoked';
      if (revocations.isOutdated(standing)) continue;
      const ends = endOf(said, nowMs);
      if (ends !== undefined) {
        const { askedAtMs: _now, ...lasting } = known;
        verdicts.set(key, { ...lasting, ...ends, standing });
      }
      return known;
    }
    return 'unavailable';
  }

  return {
    kept,
    ask(value, key) {
      const running = asked.get(key);
      if (running !== undefined) return running;
      const begun = ask(value, key)
        .catch((error: unknown): Reason => {
          if (error instanceof VerifierError) return 'unavailable';
          throw error;
        })
        .finally(() => asked.delete(key));
      asked.set(key, begun);
      return begun;
    },
    clear: () => verdicts.clear(),
    size: () => verdicts.size,
  };
}

function knownOf(said: Introspection): Known {
  const { active, chain, position, uses_limited, foreign, max_age, ...members } = said;
  const { credential_kind, trusted_ips, organization, scope, ...named } = members;
  const credential: Credential = {
    ...named,
    kind: String(credential_kind),
    organization: String(organization),
    permissions: typeof scope === 'string' ? scope.split(' ') : [],
    ...(typeof scope === 'string' && { scope }),
  };
  return {
    credential,
    chain: chainOf(said) ?? [],
    isTrusted:
      trusted_ips === undefined ? undefined : trusting(isTexts(trusted_ips) ? trusted_ips : []),
  };
}

/** Up to where the ledger is in an answer: as it says itself, or what was known before it was asked for. */
function standingOf(
  said: Introspection,
  chain: readonly string[],
  knownPosition: number,
): Standing {
  const { position, foreign } = said;
  return {
    chain,
    foreign: foreign === true,
    position: typeof position === 'number' ? position : knownPosition,
  };
}

/** Until when a verdict may be kept; undefined where it may not. */
function endOf(
  said: Introspection,
  nowMs: number,
): Pick<Verdict, 'endsAtMs' | 'afterwards'> | undefined {
  const { exp, uses_limited, foreign, max_age } = said;
  if (uses_limited !== undefined || chainOf(said) === undefined) return undefined;
  const expiresAtMs = typeof exp === 'number' ? exp * 1000 : Number.POSITIVE_INFINITY;
  if (foreign !== true) return { endsAtMs: expiresAtMs, afterwards: 'expired' };
  // Keys elsewhere end without a word: their JWTs are asked about again and again.
  if (typeof max_age !== 'number') return undefined;
  const agedAtMs = nowMs + max_age * 1000;
  return expiresAtMs <= agedAtMs
    ? { endsAtMs: expiresAtMs, afterwards: 'expired' }
    : { endsAtMs: agedAtMs, afterwards: undefined };
}
