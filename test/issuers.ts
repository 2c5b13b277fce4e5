import { createHmac, sign as signBytes } from 'node:crypto';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { type Config, readConfig } from '../src/config.ts';
import { type Harness, openGateway } from './harness.ts';

export const ISSUER = 'https://issuer.example';
export const AUDIENCE = 'revocation-gateway';

/** A key pair of an issuer. */
export interface Key {
  readonly alg: string;
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
  /** The public half, as the issuer publishes it. */
  readonly jwk: JWK;
}

export async function makeKey(kid = 'key-1', alg = 'ES256'): Promise<Key> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { alg, kid, privateKey, publicKey, jwk: { ...(await exportJWK(publicKey)), kid } };
}

/** Settings that trust these issuers, read as at a start; each needs keys or a `jwksUrl`. */
export function trusting(...issuers: object[]): Config {
  const stated = issuers.map((issuer) => ({ issuer: ISSUER, audience: AUDIENCE, ...issuer }));
  return readConfig({ TRUSTED_ISSUERS: JSON.stringify(stated), OUTBOUND_ALLOW: '127.0.0.0/8' });
}

export const openTrusting = (...issuers: object[]): Promise<Harness> => {
  const { trustedIssuers, outboundAllow } = trusting(...issuers);
  return openGateway({ config: { trustedIssuers, outboundAllow } });
};

/** The gateway's own key, with which it signs. */
export const ownKey = async ({ running }: Harness) => ({
  ...(await running.gateway.signingKeys.current()),
  alg: 'EdDSA',
});

/** What a good JWT of the issuer says; a claim that is undefined is left out. */
export function claims(changed: Record<string, unknown> = {}): Record<string, unknown> {
  const nowS = Math.floor(Date.now() / 1000);
  return {
    iss: ISSUER,
    aud: AUDIENCE,
    sub: 'ada',
    organization: 'acme',
    permissions: ['organization:admin'],
    iat: nowS,
    exp: nowS + 300,
    ...changed,
  };
}

/** A JWT as jose writes it. */
export const sign = (
  key: Pick<Key, 'alg' | 'kid' | 'privateKey'>,
  changed: Record<string, unknown> = {},
  header: object = {},
): Promise<string> =>
  new SignJWT(claims(changed))
    .setProtectedHeader({ alg: key.alg, kid: key.kid, ...header })
    .sign(key.privateKey);

const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');

/** A JWT as only an attacker writes it: any header over any signature. */
export function forge(
  header: object,
  payload: object,
  signature: (input: string) => Buffer,
): string {
  const input = `${encode(header)}.${encode(payload)}`;
  return `${input}.${signature(input).toString('base64url')}`;
}

/** HMAC with whatever bytes the attacker knows. */
export const hmac =
  (secret: string | Buffer, hash = 'sha256') =>
  (input: string) =>
    createHmac(hash, secret).update(input).digest();

/** A true ECDSA signature, whatever the header says. */
export async function ecdsa(key: Key): Promise<(input: string) => Buffer> {
  const jwk = await exportJWK(key.privateKey);
  return (input) =>
    signBytes('sha256', Buffer.from(input), {
      key: jwk as never,
      format: 'jwk',
      dsaEncoding: 'ieee-p1363',
    });
}
