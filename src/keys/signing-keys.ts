import {
  type CryptoKey,
  calculateJwkThumbprint,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
} from 'jose';
import type { Kysely, Selectable } from 'kysely';
import type { Logger } from 'pino';
import type { SigningKeysTable, Tables } from '../../db/tables.ts';
import { kept } from '../kept.ts';
import { StartError } from '../start-error.ts';
import { Unavailable } from '../unavailable.ts';
import type { Writes } from '../writes.ts';
import type { SecretKey } from './secret-key.ts';

/** How old the keys are by which a gateway signs and believes, at the most: others may change them. */
export const SIGNING_KEYS_AGE_MS = 1_000;

/** One of the gateway's own key pairs: what it signs, and how others check that. */
export interface SigningKey {
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly publicJwk: JWK;
}

/** The gateway's own keys, as they are in the database. */
export interface SigningKeys {
  /** The one that signs at this moment. */
  current(): Promise<SigningKey>;
  /** The public halves of all by which signatures count: what is published. */
  published(): Promise<readonly JWK[]>;
}

/** A key as its row has it. */
export type SigningKeyRow = Selectable<SigningKeysTable>;

/** The keys by which signatures count, the newest first. */
export const liveKeys = (db: Kysely<Tables>): Promise<SigningKeyRow[]> =>
  db
    .selectFrom('signing_keys')
    .selectAll()
    .where('retired_at_ms', 'is', null)
    .orderBy('created_at_ms', 'desc')
    .execute();

/**
 * Which of them signs: of those whose time has come, the last to come. Where it has come for none, which
 * clocks that differ can make of one that is new, it is the next.
 */
export function signingAmong(
  rows: readonly SigningKeyRow[],
  nowMs: number,
): SigningKeyRow | undefined {
  const inOrder = rows.toSorted(
    (a, b) => a.signs_from_ms - b.signs_from_ms || a.created_at_ms - b.created_at_ms,
  );
  return inOrder.findLast(({ signs_from_ms }) => signs_from_ms <= nowMs) ?? inOrder[0];
}

export interface SigningKeysOptions {
  readonly reader: Kysely<Tables>;
  readonly writes: Writes;
  readonly secretKey: SecretKey;
  readonly now: () => number;
  readonly log: Pick<Logger, 'error'>;
}

/** Reads the keys of the database, which are read anew as they are asked for; the first start makes one. */
export async function openSigningKeys(options: SigningKeysOptions): Promise<SigningKeys> {
  const { reader, writes, secretKey, now, log } = options;
  let first: SigningKeyRow[] | undefined = await liveKeys(reader);
  if (first.length === 0) first = [await makeFirst(writes, secretKey, now)];
  const rows = kept(SIGNING_KEYS_AGE_MS, async () => {
    const read = first ?? (await liveKeys(reader));
    first = undefined;
    return read;
  });
  let opened: SigningKey = await open(first, secretKey, now()).catch(() => {
    throw new StartError(
      'The secret key does not open what lies in this database: ' +
        'point SECRET_KEY_FILE to the file that this database was made with.',
    );
  });
  let unopened: string | undefined;

  return {
    async current() {
      const live = await rows();
      const signing = signingAmong(live, now());
      if (signing === undefined) throw new Unavailable('Every signing key is retired');
      if (signing.kid === opened.kid) return opened;
      try {
        opened = await open([signing], secretKey, now());
      } catch (error) {
        if (unopened !== signing.kid) {
          log.error({ err: error, kid: signing.kid }, 'the secret key does not open a signing key');
        }
        unopened = signing.kid;
        // Its signatures still count.
        if (live.some(({ kid }) => kid === opened.kid)) return opened;
        throw new Unavailable('No signing key can be opened', { cause: error });
      }
      return opened;
    },
    published: async () => (await rows()).map(({ public_jwk }) => JSON.parse(public_jwk) as JWK),
  };
}

async function open(
  rows: readonly SigningKeyRow[],
  secretKey: SecretKey,
  nowMs: number,
): Promise<SigningKey> {
  const row = signingAmong(rows, nowMs);
  if (row === undefined) throw new Error('There is no key');
  const privateJwk = JSON.parse(await secretKey.unseal(row.private_jwe)) as JWK;
  return {
    kid: row.kid,
    privateKey: (await importJWK(privateJwk, 'EdDSA')) as CryptoKey,
    publicJwk: JSON.parse(row.public_jwk) as JWK,
  };
}

async function makeFirst(
  writes: Writes,
  secretKey: SecretKey,
  now: () => number,
): Promise<SigningKeyRow> {
  const made = await newSigningKey(secretKey, { createdAtMs: now(), signsFromMs: 0 });
  return await writes.run(async (tx) => {
    const present = signingAmong(await liveKeys(tx), now());
    if (present !== undefined) return present;
    await tx.insertInto('signing_keys').values(made).execute();
    return made;
  });
}

/** A new key pair (Ed25519), as its row will have it. */
export async function newSigningKey(
  secretKey: SecretKey,
  { createdAtMs, signsFromMs }: { readonly createdAtMs: number; readonly signsFromMs: number },
): Promise<SigningKeyRow> {
  const pair = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
  const publicJwk = await exportJWK(pair.publicKey);
  const kid = await calculateJwkThumbprint(publicJwk);
  return {
    kid,
    public_jwk: JSON.stringify({ ...publicJwk, kid, alg: 'EdDSA', use: 'sig' }),
    private_jwe: await secretKey.seal(JSON.stringify(await exportJWK(pair.privateKey))),
    created_at_ms: createdAtMs,
    signs_from_ms: signsFromMs,
    retired_at_ms: null,
  };
}
