import type { Kysely } from 'kysely';
import type { LedgerEntry, Tables } from '../../db/tables.ts';
import { StartError } from '../start-error.ts';
import type { Writes } from '../writes.ts';
import { tokensUntil } from './key-list.ts';
import type { SecretKey } from './secret-key.ts';
import { liveKeys, newSigningKey, signingAmong } from './signing-keys.ts';

/** Who changes the keys, and what that takes. */
export interface KeyChange {
  readonly reader: Kysely<Tables>;
  readonly writes: Writes;
  readonly now: () => number;
  readonly newId: () => string;
  readonly actor: string;
  readonly requestId: string;
}

/** What came of a rotation. */
export interface Rotated {
  readonly kid: string;
  readonly signsFromMs: number;
  /** The keys that count no more. */
  readonly retired: readonly string[];
}

/**
 * Makes another signing key. It is published at once, and signs after a while, so that whoever checks
 * signatures has it by then; the one before counts until it is retired. In an emergency it signs at once,
 * and every other is retired in the same commit.
 */
export async function rotateKey(
  change: KeyChange,
  secretKey: SecretKey,
  { publishForMs, emergency }: { readonly publishForMs: number; readonly emergency: boolean },
): Promise<Rotated> {
  const createdAtMs = change.now();
  const signsFromMs = emergency ? createdAtMs : createdAtMs + publishForMs;
  const made = await newSigningKey(secretKey, { createdAtMs, signsFromMs });
  return await change.writes.run(async (tx) => {
    const live = await liveKeys(tx);
    const waiting = live.find(({ signs_from_ms }) => signs_from_ms > createdAtMs);
    if (waiting !== undefined && !emergency) {
      const from = new Date(waiting.signs_from_ms).toISOString();
      throw new StartError(
        `Key ${waiting.kid} is published, and signs from ${from}: wait for that, or retire it.`,
      );
    }
    const retired = emergency ? live.map(({ kid }) => kid) : [];
    if (retired.length > 0) await retire(tx, retired, createdAtMs);
    await tx.insertInto('signing_keys').values(made).execute();
    const reason = emergency ? 'KEY_COMPROMISE' : null;
    const signs = `signs from ${new Date(signsFromMs).toISOString()}`;
    await record(tx, change, [
      { action: 'rotate', target: made.kid, reason, comment: signs },
      ...retired.map((kid) => ({ action: 'retire', target: kid, reason, comment: null })),
    ]);
    return { kid: made.kid, signsFromMs, retired };
  });
}

/**
 * Has signatures of a key count no more.
 *
 * @param force also where tokens that it has signed are good
 */
export async function retireKey(change: KeyChange, kid: string, force: boolean): Promise<void> {
  const { reader, writes, now } = change;
  const present = (await liveKeys(reader)).some((row) => row.kid === kid);
  const until = present ? await tokensUntil(reader, kid, now()) : undefined;
  if (until !== undefined && !force) {
    throw new StartError(
      `Tokens that ${kid} has signed are good until ${new Date(until).toISOString()}: whoever checks ` +
        'them by their signature alone would refuse them. Wait for that, or add --force.',
    );
  }
  await writes.run(async (tx) => {
    const live = await liveKeys(tx);
    if (!live.some((row) => row.kid === kid)) {
      throw new StartError(`There is no key ${kid} that is not retired: see "gateway key list".`);
    }
    if (signingAmong(live, now())?.kid === kid) {
      throw new StartError(
        `${kid} is the key that signs: make another first, with "gateway key rotate", or with ` +
          '"gateway key rotate --emergency" where it has leaked.',
      );
    }
    await retire(tx, [kid], now());
    await record(tx, change, [{ action: 'retire', target: kid, reason: null, comment: null }]);
  });
}

const retire = (tx: Kysely<Tables>, kids: readonly string[], atMs: number) =>
  tx
    .updateTable('signing_keys')
    .set({ retired_at_ms: atMs })
    .where('kid', 'in', kids)
    .where('retired_at_ms', 'is', null)
    .execute();

/** Entries of one statement: engines limit its values. */
const ENTRIES_MAX = 500;

type Said = Pick<LedgerEntry, 'action' | 'target' | 'reason' | 'comment'>;

/**
 * Records for every organization what became of the keys, since they sign for all. Nobody is owed these
 * entries: they are no events.
 */
async function record(tx: Kysely<Tables>, change: KeyChange, said: readonly Said[]): Promise<void> {
  const { now, newId, actor, requestId } = change;
  const organizations = await tx
    .selectFrom('revocables')
    .select('id')
    .where('parent_id', 'is', null)
    .where('revoked_at_ms', 'is', null)
    .orderBy('id')
    .execute();
  const last = await tx
    .selectFrom('ledger')
    .select(({ fn }) => fn.max('seq').as('seq'))
    .executeTakeFirst();
  const begin = (last?.seq ?? 0) + 1;
  const common = { at_ms: now(), outcome: 'done', refusal: null, actor, actor_id: null };
  const entries = organizations
    .flatMap(({ id }) => said.map((each) => ({ organization_id: id, ...each })))
    .map((entry, i) => ({
      ...{ seq: begin + i, id: newId(), ...common, ...entry },
      ...{ kind: 'signing-key', target_id: null, surface: 'cli', request_id: requestId },
    }));
  for (let i = 0; i < entries.length; i += ENTRIES_MAX) {
    await tx
      .insertInto('ledger')
      .values(entries.slice(i, i + ENTRIES_MAX))
      .execute();
  }
}
