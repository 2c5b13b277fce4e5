import { createHmac, hkdfSync, randomBytes, randomUUID } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { CompactEncrypt, compactDecrypt } from 'jose';
import { StartError } from '../start-error.ts';

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
  try {
    if (!existsSync(file)) makeSecretKeyFile(file);
  } catch (error) {
    throw unusable(file, error);
  }
  return secretKeyOf(readSecrets(file));
}

/** What the file holds: the secret, and behind it those that are being replaced. */
export function readSecrets(file: string): readonly Buffer[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw unusable(file, error);
  }
  const secrets = text
    .trim()
    .split('\n')
    .map((line) => Buffer.from(line.trim(), 'base64url'));
  if (secrets.every(({ length }) => length === SECRET_BYTES)) return secrets;
  throw new StartError(
    `SECRET_KEY_FILE ${file} does not hold a secret key (${SECRET_BYTES} bytes, base64url): ` +
      'restore it from your backup.',
  );
}

/** A secret that nobody has yet. */
export const newSecretKey = (): Buffer => randomBytes(SECRET_BYTES);

/** What a file with these secrets says. */
export const secretsText = (secrets: readonly Buffer[]): string =>
  secrets.map((secret) => `${secret.toString('base64url')}\n`).join('');

/** The first secret seals and names; each of them opens. */
export function secretKeyOf(secrets: readonly Buffer[]): SecretKey {
  const derive = (secret: Buffer, use: string) =>
    Buffer.from(hkdfSync('sha256', secret, '', `revocation-gateway ${use}`, SECRET_BYTES));
  const sealing = secrets.map((secret) => derive(secret, 'seal'));
  const [seals = Buffer.alloc(0)] = sealing;
  const naming = derive(secrets[0] ?? Buffer.alloc(0), 'fingerprint');
  return {
    seal: (text) =>
      new CompactEncrypt(new TextEncoder().encode(text))
        .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
        .encrypt(seals),
    async unseal(jwe) {
      const opened = Promise.any(sealing.map((key) => compactDecrypt(jwe, key)));
      const { plaintext } = await opened.catch(({ errors }: AggregateError) => {
        throw errors[0];
      });
      return new TextDecoder().decode(plaintext);
    },
    fingerprint: (text) =>
      `fingerprint:${createHmac('sha256', naming).update(text).digest('base64url').slice(0, 22)}`,
  };
}

function makeSecretKeyFile(file: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  // Whole before it has its name: another process never reads half of it.
  const draft = `${file}.${randomUUID()}`;
  writeFileSync(draft, secretsText([newSecretKey()]), { mode: 0o600 });
  try {
    linkSync(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    unlinkSync(draft);
  }
}

const unusable = (file: string, error: unknown): StartError =>
  new StartError(
    `SECRET_KEY_FILE ${file} can neither be read nor made (${(error as Error).message}): ` +
      'point it to a file of this user.',
    { cause: error },
  );
