import { randomUUID } from 'node:crypto';
import type { Writes } from '../writes.ts';

/**
 * Makes what proves that the database takes what is written: a commit that reaches the disk, of a row
 * that is added and removed. A transaction that changes nothing would pass on a full disk, and on a
 * server that only reads. Whoever asks meanwhile shares it, so that asking often writes no more.
 */
export function createProbe(writes: Writes): () => Promise<void> {
  let probing: Promise<void> | undefined;
  return () => {
    probing ??= probe(writes).finally(() => {
      probing = undefined;
    });
    return probing;
  };
}

const probe = (writes: Writes): Promise<void> =>
  writes.run(async (tx) => {
    const kid = `probe-${randomUUID()}`;
    const none = { public_jwk: '', private_jwe: '', created_at_ms: 0, retired_at_ms: 0 };
    await tx
      .insertInto('signing_keys')
      .values({ kid, ...none })
      .execute();
    await tx.deleteFrom('signing_keys').where('kid', '=', kid).execute();
  });
