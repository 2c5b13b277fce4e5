/** What `revokeMany` takes as a kind, as it is written here: `api-key` for `API_KEY`. */
export const kinds = [
  ...['access-token', 'api-key', 'application', 'enforcement-point', 'gateway-credential'],
  ...['identity', 'jwk', 'jwk-encryption', 'jwk-validation', 'jwt-auth', 'oauth-client'],
  ...['personal-access-token', 'service-account', 'service-account-token', 'token-auth'],
];

/** What may be the reason of a revocation, written alike. */
export const reasons = [
  ...['unspecified', 'key-compromise', 'superseded', 'privilege-withdrawn'],
  ...['cessation-of-operation'],
];

/** A word of these as GraphQL has it. */
export const asEnum = (word: string): string => word.toUpperCase().replaceAll('-', '_');

/** A word however it was written. */
export const asWord = (text: string): string => text.toLowerCase().replaceAll('_', '-');
