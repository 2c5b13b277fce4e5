import { createHmac, hkdfSync, randomBytes, randomUUID } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import {
  CompactEncrypt,
  type CryptoKey,
  calculateJwkThumbprint,
  compactDecrypt,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
} from 'jose';
import type { Kysely } from 'kysely';
import type { Tables } from '../db/tables.ts';
import { StartError } from './start-error.ts';
import type { Writes } from './writes.ts';

/** What the one secret is good for: sealing texts in the database, and naming what must stay unread. */
export interface SecretKey {
  /** Encrypts a text (compact JWE, `dir`, A256GCM). */
  seal(text: string): Promise<string>;
  unseal(jwe: string): Promise<string>;
  /** The same text always gives the same name, and nobody without the key can tell the text. */
  fingerprint(text: string): string;
}

const SECRET_BYTES = 32;

/** Reads the secret key file; the first start makes it, readable by its owner alone. */
export function loadSecretKey(file: string): SecretKey {
  const secret = readOrStop(file);
  if (secret.length !== SECRET_BYTES) {
    throw new StartError(
      `SECRET_KEY_FILE ${file} does not hold a secret key (${SECRET_BYTES} bytes, base64url): ` +
        'restore it from your backup.',
    );
  }
  const derive = (use: string) =>
    Buffer.from(hkdfSync('sha256', secret, '', `revocation-gateway ${use}`, SECRET_BYTES));
  const sealing = derive('seal');
  const naming = derive('fingerprint');
  return {
    seal: (text) =>
      new CompactEncrypt(new TextEncoder().encode(text))
        .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
        .encrypt(sealing),
    unseal: async (jwe) => new TextDecoder().decode((await compactDecrypt(jwe, sealing)).plaintext),
    fingerprint: (text) =>
      `fingerprint:${createHmac('sha256', naming).update(text).digest('base64url').slice(0, 22)}`,
  };
}

function readOrStop(file: string): Buffer {
  try {
    return readOrCreate(file);
  } catch (error) {
    throw new StartError(
      `SECRET_KEY_FILE ${file} can neither be read nor made (${(error as Error).message}): ` +
        'point it to a file of this user.',
      { cause: error },
    );
  }
}

function readOrCreate(file: string): Buffer {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  if (!existsSync(file)) {
    // Whole before it has its name: another process never reads half of it.
    const draft = `${file}.${randomUUID()}`;
    writeFileSync(draft, `${randomBytes(SECRET_BYTES).toString('base64url')}\n`, { mode: 0o600 });
    try {
      linkSync(draft, file);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    } finally {
      unlinkSync(draft);
    }
  }
  return Buffer.from(readFileSync(file, 'utf8').trim(), 'base64url');
}

/** The gateway's own key pair: what it signs, and how others check that. */
export interface SigningKey {
  kid: string;
  privateKey: CryptoKey;
  publicJwk: JWK;
}

/** The newest signing key of the database; the first start makes one (Ed25519). */
export async function loadSigningKey(
  reader: Kysely<Tables>,
  writes: Writes,
  secretKey: SecretKey,
  now: () => number,
): Promise<SigningKey> {
  const newest = (db: Kysely<Tables>) =>
    db
      .selectFrom('signing_keys')
      .selectAll()
      .where('retired_at_ms', 'is', null)
      .orderBy('created_at_ms', 'desc')
      .executeTakeFirst();
  let row = await newest(reader);
  if (row === undefined) {
    const made = await makeSigningKey(secretKey, now());
    row = await writes.run(async (tx) => {
      const present = await newest(tx);
      if (present !== undefined) return present;
      await tx.insertInto('signing_keys').values(made).execute();
      return made;
    });
  }
  const privateJwk = await secretKey.unseal(row.private_jwe).catch(() => {
    throw new StartError(
      'The secret key does not open what lies in this database: ' +
        'point SECRET_KEY_FILE to the file that this database was made with.',
    );
  });
  const publicJwk = JSON.parse(row.public_jwk) as JWK;
  const privateKey = (await importJWK(JSON.parse(privateJwk) as JWK, 'EdDSA')) as CryptoKey;
  return { kid: row.kid, privateKey, publicJwk };
}

async function makeSigningKey(secretKey: SecretKey, nowMs: number) {
  const pair = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
  const publicJwk = await exportJWK(pair.publicKey);
  const kid = await calculateJwkThumbprint(publicJwk);
  return {
    kid,
    public_jwk: JSON.stringify({ ...publicJwk, kid, alg: 'EdDSA', use: 'sig' }),
    private_jwe: await secretKey.seal(JSON.stringify(await exportJWK(pair.privateKey))),
    created_at_ms: nowMs,
    retired_at_ms: null,
  };
}
