import type { Kysely } from 'kysely';
import type { Tables, Target } from '../../db/tables.ts';
import { chainOf, standing } from '../standing.ts';
import { type MessageSender, post } from './message.ts';

/** What sending to an environment needs. */
export interface EnvironmentSender extends MessageSender {
  readonly reader: Kysely<Tables>;
}

/** What an environment is told: the credential as it is now. `seq` grows with every change. */
export interface CredentialState {
  type: 'credential.updated';
  timestamp: string;
  data: {
    seq: number;
    /** The ledger entry, where something was revoked; null where a JWK was assigned. */
    revocationId: string | null;
    environment: string;
    project: string;
    username: string;
    /** The public JWK (RFC 7517) that the credential is validated with; null: with none. */
    validationJwk: unknown;
    encryptionJwk: unknown;
  };
}

/**
 * Tells an environment the present state of the credentials behind a ledger entry, one message each;
 * the entry's id is the message id, or begins it.
 *
 * @param told ids of messages that it has acknowledged at an earlier attempt; this one's are added
 * @returns undefined once the environment has acknowledged all (2xx); else what went wrong, in words
 */
export async function sendToEnvironment(
  sender: EnvironmentSender,
  target: Target,
  seq: number,
  told: Set<string>,
): Promise<string | undefined> {
  for (const { id, state } of await readStates(sender, target, seq)) {
    if (told.has(id)) continue;
    const failed = await post(sender, target, id, state);
    if (failed !== undefined) return failed;
    told.add(id);
  }
  return undefined;
}

interface Message {
  readonly id: string;
  readonly state: CredentialState;
}

async function readStates(
  sender: EnvironmentSender,
  target: Target,
  seq: number,
): Promise<Message[]> {
  const entry = await sender.reader
    .selectFrom('ledger')
    .innerJoin('revocables as changed', 'changed.id', 'ledger.target_id')
    .select(['ledger.id', 'ledger.action', 'ledger.at_ms', 'changed.id as changedId'])
    .select(['changed.kind', 'changed.parent_id'])
    .where('ledger.seq', '=', seq)
    .executeTakeFirstOrThrow();
  const messages: Message[] = [];
  for (const credentialId of await credentialsOf(sender.reader, entry)) {
    const [credential, project] = await chainOf(sender.reader, 'id', credentialId);
    const state: CredentialState = {
      type: 'credential.updated',
      timestamp: new Date(sender.now()).toISOString(),
      data: {
        seq,
        revocationId: entry.action === 'revoke' ? entry.id : null,
        environment: target.name,
        project: project?.slug ?? '',
        username: credential?.slug ?? '',
        validationJwk: await assignedJwk(sender, credentialId, 'jwk-validation'),
        encryptionJwk: await assignedJwk(sender, credentialId, 'jwk-encryption'),
      },
    };
    const id = entry.kind === 'jwk' ? `${entry.id}.${credentialId}` : entry.id;
    messages.push({ id, state });
  }
  return messages;
}

interface Changed {
  readonly kind: string;
  readonly changedId: string;
  readonly parent_id: string | null;
  readonly at_ms: number;
}

/**
 * The gateway credentials that a change concerns: its own, or all that had the changed JWK then, also
 * where they have another by now.
 */
async function credentialsOf(db: Kysely<Tables>, changed: Changed): Promise<string[]> {
  if (changed.kind === 'gateway-credential') return [changed.changedId];
  if (changed.kind !== 'jwk') return [changed.parent_id ?? ''];
  const rows = await db
    .selectFrom('jwk_assignments')
    .innerJoin('revocables as assignment', 'assignment.id', 'jwk_assignments.id')
    .select('assignment.parent_id')
    .where('jwk_assignments.jwk_id', '=', changed.changedId)
    .where((eb) =>
      eb.or([
        eb('assignment.revoked_at_ms', 'is', null),
        eb('assignment.revoked_at_ms', '>=', changed.at_ms),
      ]),
    )
    .execute();
  return [...new Set(rows.map(({ parent_id }) => parent_id ?? ''))];
}

/** The public JWK that counts for a gateway credential's use now: all that it stands on is good. */
async function assignedJwk({ reader, now }: EnvironmentSender, credentialId: string, kind: string) {
  const row = await reader
    .selectFrom('revocables as assignment')
    .innerJoin('jwk_assignments', 'jwk_assignments.id', 'assignment.id')
    .innerJoin('jwks', 'jwks.id', 'jwk_assignments.jwk_id')
    .select(['jwks.public_jwk', 'jwks.id as jwkId', 'assignment.id'])
    .where('assignment.parent_id', '=', credentialId)
    .where('assignment.kind', '=', kind)
    .where('assignment.revoked_at_ms', 'is', null)
    .orderBy('assignment.id', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (row === undefined) return null;
  for (const id of [row.id, row.jwkId]) {
    if (standing(await chainOf(reader, 'id', id), now()) !== undefined) return null;
  }
  return JSON.parse(row.public_jwk) as unknown;
}
