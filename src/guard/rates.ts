import { z } from 'zod';

/** Requests in a second. */
export interface RateLimits {
  /** From one address. */
  readonly address: number;
  /** With one credential. */
  readonly caller: number;
  /** Logins, from one address. */
  readonly login: number;
  /** Introspections, with one credential. */
  readonly introspection: number;
  /** That are refused since it is not known who asks, from one address. */
  readonly failures: number;
}

/** Those of production, unless said. */
const rateLimitDefaults: RateLimits = {
  ...{ address: 1_000, caller: 500, login: 20, introspection: 200, failures: 10 },
};

const limitsText = `must be off, or NAME=NUMBER divided by commas, with ${Object.keys(rateLimitDefaults).join(', ')}`;
/** `off`, or numbers in place of those that are set in the code. */
export const rateLimitsText = z.string().transform((text, context) => {
  if (text === 'off') return text;
  const given = text.split(',').map((part) => /^\s*(\w+)=([1-9]\d{0,8})\s*$/.exec(part));
  if (given.every((part) => Object.hasOwn(rateLimitDefaults, part?.[1] ?? ''))) {
    return Object.fromEntries(given.map((part) => [part?.[1], Number(part?.[2])]));
  }
  context.addIssue({ code: 'custom', message: limitsText });
  return z.NEVER;
});

/** In development there are those that are named, or none. */
export function rateLimitsOf(
  given: object | 'off' | undefined,
  profile: 'development' | 'production',
): RateLimits | undefined {
  if (given === 'off' || (given === undefined && profile === 'development')) return undefined;
  return { ...rateLimitDefaults, ...given };
}
