import type { Change } from './feed-events.ts';

/** What a verifier is made from. */
export interface VerifierOptions {
  /** Where the gateway is reached; it need not be its `PUBLIC_URL`. The token is sent nowhere else. */
  readonly url: string;
  /** The token of an enforcement point, as `createEnforcementPoint` shows it once. */
  readonly token: string;
  /** While nothing current is known: `strict` refuses everything, `best-effort` accepts what it knows, and says so. */
  readonly whenStale: 'strict' | 'best-effort';
  /** After how many milliseconds without word from the gateway that is; 2,000 unless said. It speaks every 500. */
  readonly staleAfterMs?: number;
  /** How many milliseconds the gateway has for an answer; 2,000 unless said. */
  readonly timeoutMs?: number;
  /** How many verdicts are kept; 10,000 unless said. The one that was not used for longest goes first. */
  readonly cacheMax?: number;
  /** With what to ask; the global `fetch` unless said. */
  readonly fetch?: typeof globalThis.fetch;
  /** Is told of each change once it counts here, such as to close connections that stand open. */
  readonly onChange?: (change: Change) => void;
}

/** Options with nothing left open. */
export type Settings = Required<VerifierOptions>;

const STALE_AFTER_DEFAULT_MS = 2_000;
const TIMEOUT_DEFAULT_MS = 2_000;
const CACHE_DEFAULT = 10_000;

/** What a number among the options can be at the most: beyond it a timer would ring at once. */
const NUMBER_MAX = 10_000_000;

/** Fills in what is not said; throws a TypeError that names what cannot be. */
export function settingsOf(options: VerifierOptions): Settings {
  const { url, token, whenStale } = options;
  const { protocol = '' } = URL.canParse(url) ? new URL(url) : {};
  if (!/^https?:$/.test(protocol) || /[?#@]/.test(url)) {
    throw new TypeError('url: must be a URL with http or https, without user, query and fragment');
  }
  if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token)) {
    throw new TypeError('token: must be the token of an enforcement point');
  }
  if (whenStale !== 'strict' && whenStale !== 'best-effort') {
    throw new TypeError("whenStale: must be 'strict' or 'best-effort'");
  }
  const settings = {
    staleAfterMs: options.staleAfterMs ?? STALE_AFTER_DEFAULT_MS,
    timeoutMs: options.timeoutMs ?? TIMEOUT_DEFAULT_MS,
    cacheMax: options.cacheMax ?? CACHE_DEFAULT,
  };
  for (const [name, value] of Object.entries(settings)) {
    if (!Number.isSafeInteger(value) || value < 1 || value > NUMBER_MAX) {
      throw new TypeError(`${name}: must be a whole number from 1 to ${NUMBER_MAX}`);
    }
  }
  for (const name of ['fetch', 'onChange'] as const) {
    if (!['function', 'undefined'].includes(typeof options[name])) {
      throw new TypeError(`${name}: must be a function`);
    }
  }
  return {
    ...{ url: url.replace(/\/+$/, ''), token, whenStale, ...settings },
    fetch: options.fetch ?? globalThis.fetch,
    onChange: options.onChange ?? (() => undefined),
  };
}
