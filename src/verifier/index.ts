import { createAcknowledgements } from './acknowledgements.ts';
import { createClock } from './clock.ts';
import { VerifierError } from './errors.ts';
import { followFeed } from './feed-client.ts';
import { createGateway } from './gateway.ts';
import { createIntrospections } from './introspections.ts';
import { createJwts } from './jwt.ts';
import { settingsOf, type VerifierOptions } from './options.ts';
import { createRevocations } from './revocations.ts';
import { createTurns } from './turns.ts';
import { createVerify, staleForMs, type Verify } from './verifier.ts';

export type { Change } from './feed-events.ts';
export type { VerifierOptions } from './options.ts';
export type { Accepted, Credential, Reason, Refused, Verdict } from './verdict.ts';
export type { Circumstances, Verify } from './verifier.ts';
export { VerifierError };

/** How a verifier stands to its gateway. */
export interface Status {
  /** Whether what is known is current: nothing that was revoked longer than `staleAfterMs` ago is missed. */
  readonly live: boolean;
  /** The entry of the ledger up to which everything is known; undefined before the first snapshot. */
  readonly position: number | undefined;
  /** For how many milliseconds nothing current is known; 0 while live, undefined before the first snapshot. */
  readonly staleForMs: number | undefined;
  /** How often the feed was taken up again. */
  readonly reconnects: number;
  /** Verdicts that are kept. */
  readonly cached: number;
  /** Revoked rows that are known. */
  readonly revokedIds: number;
  /** Why the feed was not followed when that failed last; undefined once it is followed again. */
  readonly problem: string | undefined;
}

/** Tells an API whether the credentials that it is shown are good, as its gateway would at this moment. */
export interface Verifier {
  /**
   * Resolves once everything that is revoked is known.
   *
   * @throws VerifierError `unauthorized` or `not-a-gateway`: waiting would not help; `closed`. While
   *   the gateway cannot be reached, it waits.
   */
  ready(): Promise<void>;
  /** Whether a credential is good. Says no rather than throw. */
  readonly verify: Verify;
  status(): Status;
  /** Ends every connection; from then on everything is refused as `unavailable`. */
  close(): Promise<void>;
}

/** Questions that the gateway is asked at once: more would only open connections that wait there. */
const ASKED_AT_ONCE_MAX = 16;

/** Questions that wait for their turn; one more is refused as `unavailable`. */
const WAITING_MAX = 1_000;

/**
 * Follows a gateway as one of its enforcement points.
 *
 * @throws TypeError which option cannot be
 */
export function createVerifier(options: VerifierOptions): Verifier {
  const settings = settingsOf(options);
  const { timeoutMs, staleAfterMs, onChange } = settings;
  const closed = new AbortController();
  const closing = closed.signal;
  const clock = createClock();
  const gateway = createGateway(settings, closing);
  const revocations = createRevocations();
  const turns = createTurns({ activeMax: ASKED_AT_ONCE_MAX, waitingMax: WAITING_MAX, timeoutMs });
  const introspections = createIntrospections(settings, gateway, clock, revocations, turns);
  const jwts = createJwts(settings, gateway, clock, closing);
  const acknowledgements = createAcknowledgements(gateway, closing);
  let problem: VerifierError | undefined;
  const disowned = () => problem?.code === 'unauthorized';
  const parts = { settings, clock, revocations, jwts, introspections, disowned, closing };
  const verify = createVerify(parts);

  const waiting = new Set<(error?: VerifierError) => void>();
  const settle = (error?: VerifierError) => {
    for (const each of waiting) each(error);
    waiting.clear();
  };

  const feed = followFeed({
    ...{ gateway, clock, staleAfterMs, closing },
    listener: {
      connecting: jwts.refresh,
      keysAre: jwts.keysAre,
      isCrowded: revocations.isCrowded,
      replace(snapshot) {
        introspections.clear();
        revocations.replace(snapshot);
        acknowledgements.restart(snapshot.position);
        problem = undefined;
        settle();
      },
      apply(change) {
        revocations.apply(change);
        acknowledgements.applied(change.seq);
        queueMicrotask(() => onChange(change));
      },
      advance(position) {
        revocations.advance(position);
        problem = undefined;
      },
      failed(error) {
        problem = error;
        if (!error.passes) settle(error);
      },
    },
  });

  return {
    verify,
    ready() {
      if (closing.aborted) return Promise.reject(new VerifierError('closed', 'It is closed'));
      if (revocations.position() !== undefined) return Promise.resolve();
      if (problem?.passes === false) return Promise.reject(problem);
      return new Promise((resolve, reject) => {
        waiting.add((error) => (error === undefined ? resolve() : reject(error)));
      });
    },
    status() {
      const ageMs = clock.ageMs();
      const stale = staleForMs(clock, settings);
      return {
        live: stale === undefined && !disowned(),
        position: revocations.position(),
        staleForMs: ageMs === undefined ? undefined : Math.ceil(stale ?? 0),
        reconnects: feed.reconnects(),
        cached: introspections.size(),
        revokedIds: revocations.size(),
        problem: problem?.message,
      };
    },
    async close() {
      closed.abort();
      settle(new VerifierError('closed', 'The verifier is closed'));
      introspections.clear();
      await feed.ended;
    },
  };
}
