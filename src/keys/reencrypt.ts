import { linkSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { Kysely } from 'kysely';
import type { Tables } from '../../db/tables.ts';
import { draft } from '../draft.ts';
import type { Writes } from '../writes.ts';
import { newSecretKey, readSecrets, type SecretKey, secretsText } from './secret-key.ts';

/** A secret key file that is being replaced. */
export interface Replacement {
  /** Where the file of before is, for backups of before; undefined where that was done before. */
  readonly keptAs: string | undefined;
  /** Has the file be as it was. */
  undo(): Promise<void>;
}

/**
 * Puts a new secret before the one that the file has: both open what is in the database, whatever interrupts
 * this. A file that has two already was interrupted, and is taken as it is.
 */
export async function beginReplacement(file: string): Promise<Replacement> {
  const before = readSecrets(file);
  if (before.length > 1) return { keptAs: undefined, undo: async () => undefined };
  const keptAs = `${file}.before-${new Date().toISOString().replace(/[-:.]/g, '')}`;
  linkSync(file, keptAs);
  await write(file, [newSecretKey(), ...before]);
  return {
    keptAs,
    async undo() {
      await write(file, before);
      await rm(keptAs);
    },
  };
}

/** Leaves the new secret alone in the file: nothing in the database needs another. */
export const endReplacement = (file: string): Promise<void> =>
  write(file, readSecrets(file).slice(0, 1));

async function write(file: string, secrets: readonly Buffer[]): Promise<void> {
  const drafted = await draft(file);
  try {
    await drafted.write(secretsText(secrets));
    await drafted.replace();
  } finally {
    await drafted.discard();
  }
}

export interface Sealed {
  readonly reader: Kysely<Tables>;
  readonly writes: Writes;
  readonly secretKey: SecretKey;
}

/** Seals everything in the database anew, in one transaction; nobody else may seal anything meanwhile. */
export async function reencrypt({ reader, writes, secretKey }: Sealed): Promise<number> {
  const anew = async (jwe: string) => await secretKey.seal(await secretKey.unseal(jwe));
  const keys = await reader.selectFrom('signing_keys').select(['kid', 'private_jwe']).execute();
  const targets = await reader
    .selectFrom('targets')
    .select(['id', 'secret_jwe', 'previous_secret_jwe'])
    .where((eb) => eb.or([eb('secret_jwe', '!=', ''), eb('previous_secret_jwe', 'is not', null)]))
    .execute();
  const newKeys = await Promise.all(
    keys.map(async ({ kid, private_jwe }) => ({ kid, private_jwe: await anew(private_jwe) })),
  );
  const newTargets = await Promise.all(
    targets.map(async ({ id, secret_jwe, previous_secret_jwe }) => ({
      id,
      secret_jwe: secret_jwe === '' ? '' : await anew(secret_jwe),
      previous_secret_jwe: previous_secret_jwe && (await anew(previous_secret_jwe)),
    })),
  );
  await writes.run(async (tx) => {
    for (const { kid, ...sealed } of newKeys) {
      await tx.updateTable('signing_keys').set(sealed).where('kid', '=', kid).execute();
    }
    for (const { id, ...sealed } of newTargets) {
      await tx.updateTable('targets').set(sealed).where('id', '=', id).execute();
    }
  });
  return newKeys.length + newTargets.length;
}
