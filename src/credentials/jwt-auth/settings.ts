import type { Gateway } from '../../gateway.ts';
import type { InvalidInput } from '../../refusals.ts';
import { carriesSecret } from '../../secrets.ts';
import {
  checkLifetimes,
  checkMethod,
  type GivenMethod,
  type MethodSettings,
  mergeMethod,
  methodDefaults,
  settingsOf,
} from '../auth-method.ts';
import { problem, together } from '../input.ts';
import type { JwtAuthDetail } from './kind.ts';
import { readPublicKey } from './public-key.ts';

/** The longest URL, and the longest text that a claim is held against, in characters. */
export const BOUND_TEXT_MAX = 2_000;
/** Claims that one JWT Auth binds. */
export const BOUND_CLAIMS_MAX = 20;
/** Keys of one JWT Auth. */
export const PUBLIC_KEYS_MAX = 10;
/** The longest PEM of one key, in characters. */
export const PEM_MAX = 10_000;

/** What a JWT must be to log in, and what the access tokens are like. */
export interface JwtAuthSettings extends MethodSettings {
  readonly configurationType: 'jwks' | 'static';
  /** Empty where there is none, as every text here. */
  readonly jwksUrl: string;
  /** PEM. */
  readonly publicKeys: readonly string[];
  readonly boundIssuer: string;
  /** One, or several with a comma and a blank between. */
  readonly boundAudiences: string;
  readonly boundSubject: string;
  /** By the name of the claim, or dots and names for what lies deeper. */
  readonly boundClaims: Readonly<Record<string, string>>;
}

/** Something that a JWT must say to log in. */
export interface BoundClaim {
  readonly claim: string;
  readonly value: string;
}

/** The same as a caller gives it; what is not given has its default, or stays as it is. */
export interface GivenJwtAuth extends GivenMethod {
  readonly configurationType?: JwtAuthSettings['configurationType'] | null;
  readonly jwksUrl?: string | null;
  readonly publicKeys?: readonly string[] | null;
  readonly boundIssuer?: string | null;
  readonly boundAudiences?: string | null;
  readonly boundSubject?: string | null;
  readonly boundClaims?: readonly BoundClaim[] | null;
}

export const jwtAuthDefaults: JwtAuthSettings = {
  ...methodDefaults,
  configurationType: 'jwks',
  jwksUrl: '',
  publicKeys: [],
  boundIssuer: '',
  boundAudiences: '',
  boundSubject: '',
  boundClaims: {},
};

/** Says no to single values that no JWT Auth can have. */
export function checkGivenJwtAuth(gateway: Gateway, given: GivenJwtAuth): InvalidInput | undefined {
  const { jwksUrl, publicKeys, boundIssuer, boundAudiences, boundSubject, boundClaims } = given;
  return together(
    checkMethod(given),
    problem('jwksUrl', jwksUrl ? gateway.urlProblem(jwksUrl, 'keys') : undefined),
    checkLength('jwksUrl', jwksUrl),
    checkPublicKeys(publicKeys ?? []),
    checkBoundText('boundIssuer', boundIssuer),
    checkBoundText('boundAudiences', boundAudiences),
    checkBoundText('boundSubject', boundSubject),
    checkBoundClaims(boundClaims ?? []),
  );
}

const checkLength = (path: string, text: string | null | undefined) =>
  problem(
    path,
    (text ?? '').length > BOUND_TEXT_MAX ? `At most ${BOUND_TEXT_MAX} characters` : undefined,
  );

const checkPublicKeys = (keys: readonly string[]) =>
  problem(
    'publicKeys',
    keys.length > PUBLIC_KEYS_MAX
      ? `At most ${PUBLIC_KEYS_MAX} keys`
      : keys.some((key) => key.length > PEM_MAX || readPublicKey(key) === undefined)
        ? 'Each must be the PEM of a public key: RSA of 2048 bits or more, EC of P-256, P-384 or P-521, or Ed25519'
        : undefined,
  );

function checkBoundClaims(claims: readonly BoundClaim[]): InvalidInput | undefined {
  const names = claims.map(({ claim }) => claim);
  const path = 'boundClaims';
  if (claims.length > BOUND_CLAIMS_MAX) return problem(path, `At most ${BOUND_CLAIMS_MAX} claims`);
  if (new Set(names).size < names.length) return problem(path, 'Names a claim twice');
  if (claims.some(({ claim, value }) => claim === '' || value === '')) {
    return problem(path, 'A claim and its value must not be empty');
  }
  return together(
    ...claims.flatMap(({ claim, value }) =>
      [claim, value].map((text) => checkBoundText(path, text)),
    ),
  );
}

/** Everybody who may see the identity is shown it. */
const checkBoundText = (path: string, text: string | null | undefined) =>
  checkLength(path, text) ??
  problem(path, carriesSecret(text ?? '') ? 'Carries what looks like a secret' : undefined);

/** Says no to settings of which each is good, and that make no JWT Auth together. */
export const checkJwtAuth = (settings: JwtAuthSettings): InvalidInput | undefined =>
  together(
    checkLifetimes(settings, 'Access token TTL cannot be greater than max TTL'),
    problem(
      'jwksUrl',
      settings.configurationType === 'jwks' && settings.jwksUrl === ''
        ? 'Say where the keys are published'
        : undefined,
    ),
    problem(
      'publicKeys',
      settings.configurationType === 'static' && settings.publicKeys.length === 0
        ? 'Give at least one'
        : undefined,
    ),
  );

/** Says no to whatever a new JWT Auth cannot have. */
export const checkNewJwtAuth = (gateway: Gateway, given: GivenJwtAuth): InvalidInput | undefined =>
  checkGivenJwtAuth(gateway, given) ?? checkJwtAuth(mergeJwtAuth(jwtAuthDefaults, given));

/** The settings as they are once what is given has been put in. */
export const mergeJwtAuth = (before: JwtAuthSettings, given: GivenJwtAuth): JwtAuthSettings => ({
  ...mergeMethod(before, given),
  configurationType: given.configurationType ?? before.configurationType,
  jwksUrl: given.jwksUrl ?? before.jwksUrl,
  publicKeys: given.publicKeys ?? before.publicKeys,
  boundIssuer: given.boundIssuer ?? before.boundIssuer,
  boundAudiences: given.boundAudiences ?? before.boundAudiences,
  boundSubject: given.boundSubject ?? before.boundSubject,
  boundClaims:
    given.boundClaims == null
      ? before.boundClaims
      : Object.fromEntries(given.boundClaims.map(({ claim, value }) => [claim, value])),
});

/** The settings of a JWT Auth that is there. */
export const jwtAuthSettings = (detail: JwtAuthDetail): JwtAuthSettings => ({
  ...settingsOf(detail),
  configurationType: detail.configuration_type as JwtAuthSettings['configurationType'],
  jwksUrl: detail.jwks_url,
  publicKeys: JSON.parse(detail.public_keys) as string[],
  boundIssuer: detail.bound_issuer,
  boundAudiences: detail.bound_audiences,
  boundSubject: detail.bound_subject,
  boundClaims: JSON.parse(detail.bound_claims) as Record<string, string>,
});
