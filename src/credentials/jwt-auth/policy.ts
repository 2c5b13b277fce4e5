import type { JWTPayload } from 'jose';
import { denied, forbidden, type LoginRefused } from './login-refused.ts';
import { createMatcher } from './match.ts';
import type { JwtAuthSettings } from './settings.ts';

/** Why what a JWT says is not what JWT Auth asks for; undefined where it is. The first no is told. */
export function checkPolicy(
  settings: JwtAuthSettings,
  payload: JWTPayload,
): LoginRefused | undefined {
  const { boundIssuer, boundSubject, boundAudiences, boundClaims } = settings;
  const matches = createMatcher();

  if (boundIssuer !== '' && payload.iss !== boundIssuer) return forbidden('issuer mismatch');
  if (boundSubject !== '') {
    if (isMissing(payload.sub)) return denied('token has no subject field');
    if (!matches(textsOf(payload.sub), [boundSubject])) return forbidden('subject not allowed');
  }
  if (boundAudiences !== '') {
    if (isMissing(payload.aud)) return denied('token has no audience field');
    if (!matches(textsOf(payload.aud), alternatives(boundAudiences))) {
      return denied('token audience not allowed');
    }
  }
  for (const [claim, expected] of Object.entries(boundClaims)) {
    const value = claimAt(payload, claim);
    if (isMissing(value)) return denied(`token has no ${claim} field`);
    const patterns = alternatives(expected);
    if (!(isSame(value, patterns) || matches(textsOf(value), patterns))) {
      return denied(`claim mismatch for field ${claim}`);
    }
  }
  return undefined;
}

/** A comma and a blank stand between several, of which one must fit. */
const alternatives = (text: string): string[] => text.split(', ').filter((each) => each !== '');

const isMissing = (value: unknown): boolean =>
  value === undefined || value === null || value === '';

/** The texts in a claim that may hold one or several. */
const textsOf = (value: unknown): string[] =>
  [value].flat().filter((each) => typeof each === 'string');

/** Booleans and numbers are what they are, and match no glob. */
const isSame = (value: unknown, expected: readonly string[]): boolean =>
  (typeof value === 'boolean' || typeof value === 'number') && expected.includes(String(value));

/** What a claim says: under this very name, or where the dots in it lead. Only what the JWT itself has. */
function claimAt(payload: JWTPayload, name: string): unknown {
  if (Object.hasOwn(payload, name)) return payload[name];
  let value: unknown = payload;
  for (const part of name.split('.')) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    if (!Object.hasOwn(value, part)) return undefined;
    value = (value as Record<string, unknown>)[part];
  }
  return value;
}
