import { hash, randomBytes } from 'node:crypto';

/** How each opaque secret begins, so that people and scanners know a leaked one on sight. */
export const secretPrefixes = {
  'personal-access-token': 'rgw_pat_',
  'api-key': 'rgw_key_',
  'oauth-client': 'rgw_cs_',
  'enforcement-point': 'rgw_ep_',
  /** Kaiten's own. */
  'service-account-token': 'ksh_',
} as const;

/** A new opaque secret: 256 random bits behind the prefix of its kind. Shown once, never stored. */
export function newSecret(
  kind: keyof typeof secretPrefixes,
  bytes: Buffer = randomBytes(32),
): string {
  return secretPrefixes[kind] + bytes.toString('base64url');
}

/** What is stored of a secret: SHA-256, base64url. 256 random bits need no salt and no slow hash. */
export function hashSecret(secret: string): string {
  return hash('sha256', secret, 'base64url');
}

const secretPattern = new RegExp(
  [
    `(?:${[...Object.values(secretPrefixes), 'whsec_'].join('|')})[A-Za-z0-9_-]`,
    // JWTs, private keys as PEM and as JWKs, and URLs with a password.
    'eyJ[A-Za-z0-9_-]{8,}\\.',
    '-----BEGIN [A-Z0-9 ]*PRIVATE KEY',
    '"(?:d|k|p|q)"\\s*:\\s*"[A-Za-z0-9_-]{16}',
    '://[^\\s/?#@:]*:[^\\s/?#@]+@',
  ].join('|'),
);

/** Whether the text carries what looks like one of our secrets, a JWT, a private key or a password in a URL. */
export function carriesSecret(text: string): boolean {
  return secretPattern.test(text);
}

/** Whether a text can name somebody in a ledger: it has something, and nothing that prints oddly. */
export function isPlainText(text: string): boolean {
  return text.trim() !== '' && text.isWellFormed() && !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(text);
}
