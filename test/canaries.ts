import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { secretPrefixes } from '../src/secrets.ts';

/** Secrets that are known on sight, each for one place, so that wherever one turns up says whence it came. */

/** Where a canary is put. */
export interface Canary {
  /** The route, mutation or header, and the field. */
  readonly place: string;
  readonly form: string;
  /** The whole of what is sent. */
  readonly text: string;
}

/** What the canaries of this run have in them, before their number. */
const RUN = `Zq7${randomBytes(6).toString('hex')}`;
const PADDING = 'aB3dE5fG7hJ9kL1mN3pQ5r';

/** How a secret looks, from what is secret of it. */
const forms: Record<string, (core: string) => string> = {
  JWT: (core) => `eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.${core}${PADDING}`,
  ...Object.fromEntries(
    [...Object.values(secretPrefixes), 'whsec_'].map((prefix) => [
      prefix,
      (core: string) => `${prefix}${core}${PADDING}`,
    ]),
  ),
  'URL with a password': (core) => `https://user:${core}@127.0.0.1/`,
  'private key, PEM': (core) =>
    `-----BEGIN PRIVATE KEY-----\n${core}${PADDING}\n-----END PRIVATE KEY-----`,
  'private key, PEM in one line': (core) => `-----BEGIN EC PRIVATE KEY----- ${core}${PADDING}`,
  'private JWK': (core) =>
    JSON.stringify({ kty: 'OKP', crv: 'Ed25519', x: PADDING.padEnd(43, 'x'), d: core }),
  'secret JWK': (core) => `{"kty": "oct", "k" : "${core}"}`,
};

const planted: Canary[] = [];
/** By the part of it that is secret. */
const real = new Map<string, Canary>();

/** One canary of each form for a place. */
export function canariesFor(place: string): Canary[] {
  return Object.entries(forms).map(([form, write]) => {
    const canary = {
      place,
      form,
      text: write(`${RUN}${String(planted.length).padStart(6, '0')}x`),
    };
    planted.push(canary);
    return canary;
  });
}

/** Private keys that are keys, for where such are read. */
export function realKeysFor(place: string): Canary[] {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  const jwk = pair.privateKey.export({ format: 'jwk' });
  const keys = [
    { form: 'real PEM', text: pem, core: pem.split('\n')[1] ?? '' },
    { form: 'real JWK', text: JSON.stringify(jwk), core: jwk.d ?? '' },
  ];
  return keys.map(({ core, form, text }) => {
    const canary = { place, form, text };
    real.set(core, canary);
    return canary;
  });
}

const CORE = new RegExp(`${RUN}(\\d{6})x`, 'g');

/** The canaries in a text or in bytes, also where those are written as base64. */
export function canariesIn(text: string): string[] {
  const within = [...text.matchAll(CORE)].map(([, n]) => planted[Number(n)]);
  for (const [core, canary] of real) if (text.includes(core)) within.push(canary);
  // As part of `Basic`, at each of the places where it may begin.
  for (const ahead of ['', 'a', 'aa']) {
    const encoded = btoa(ahead + RUN);
    if (text.includes(encoded.slice(ahead === '' ? 0 : 4, -4))) {
      within.push({ place: 'somewhere', form: 'base64', text: '' });
    }
  }
  return [...new Set(within.map((canary) => `${canary?.place}: ${canary?.form}`))].toSorted();
}
