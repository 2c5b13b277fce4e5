import type { Kysely } from 'kysely';
import { Webhook } from 'standardwebhooks';
import type { Tables, Target } from '../../db/tables.ts';
import type { SecretKey } from '../keys.ts';
import { AddressRefused, type Outbound } from '../outbound.ts';

/** What sending to an environment needs. */
export interface EnvironmentSender {
  readonly reader: Kysely<Tables>;
  readonly secretKey: SecretKey;
  readonly outbound: Outbound;
  readonly now: () => number;
}

/** An environment that has not answered by then has failed. */
export const ENVIRONMENT_TIMEOUT_MS = 5_000;

/** What an environment is told: the credential as it is now. `seq` grows with every change. */
export interface CredentialState {
  type: 'credential.updated';
  timestamp: string;
  data: {
    seq: number;
    revocationId: string;
    environment: string;
    project: string;
    username: string;
    /** The public JWK (RFC 7517) that the credential is validated with; null: with none. */
    validationJwk: unknown;
    encryptionJwk: unknown;
  };
}

/**
 * Tells an environment the present state of the credential behind a ledger entry, signed as Standard
 * Webhooks say; the entry's id is the message id.
 *
 * @returns undefined once the environment has acknowledged (2xx); else what went wrong, in words
 */
export async function sendToEnvironment(
  sender: EnvironmentSender,
  target: Target,
  seq: number,
): Promise<string | undefined> {
  const { id, state } = await readState(sender, target, seq);
  const body = JSON.stringify(state);
  const sentAt = new Date(sender.now());
  const secret = await sender.secretKey.unseal(target.secret_jwe);
  try {
    const response = await sender.outbound(target.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'webhook-id': id,
        'webhook-timestamp': String(Math.floor(sentAt.getTime() / 1000)),
        'webhook-signature': new Webhook(secret).sign(id, sentAt, body),
      },
      body,
      signal: AbortSignal.timeout(ENVIRONMENT_TIMEOUT_MS),
    });
    // What it says beyond the status is not needed, however long it is.
    await response.body?.cancel();
    return response.ok ? undefined : failedStatus(response.status);
  } catch (error) {
    return failure(error);
  }
}

async function readState(sender: EnvironmentSender, target: Target, seq: number) {
  const entry = await sender.reader
    .selectFrom('ledger')
    .innerJoin('revocables as assignment', 'assignment.id', 'ledger.target_id')
    .innerJoin('revocables as credential', 'credential.id', 'assignment.parent_id')
    .innerJoin('revocables as project', 'project.id', 'credential.parent_id')
    .select([
      'ledger.id',
      'credential.id as credentialId',
      'credential.slug as username',
      'project.slug as project',
    ])
    .where('ledger.seq', '=', seq)
    .executeTakeFirstOrThrow();
  const state: CredentialState = {
    type: 'credential.updated',
    timestamp: new Date(sender.now()).toISOString(),
    data: {
      seq,
      revocationId: entry.id,
      environment: target.name,
      project: entry.project ?? '',
      username: entry.username ?? '',
      validationJwk: await assignedJwk(sender.reader, entry.credentialId, 'jwk-validation'),
      encryptionJwk: await assignedJwk(sender.reader, entry.credentialId, 'jwk-encryption'),
    },
  };
  return { id: entry.id, state };
}

/** The public JWK that a gateway credential has for this use now. */
async function assignedJwk(db: Kysely<Tables>, credentialId: string, kind: string) {
  const row = await db
    .selectFrom('revocables as assignment')
    .innerJoin('jwk_assignments', 'jwk_assignments.id', 'assignment.id')
    .innerJoin('jwks', 'jwks.id', 'jwk_assignments.jwk_id')
    .select(['jwks.public_jwk', 'assignment.revoked_at_ms'])
    .where('assignment.parent_id', '=', credentialId)
    .where('assignment.kind', '=', kind)
    .orderBy('assignment.id', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row === undefined || row.revoked_at_ms !== null
    ? null
    : (JSON.parse(row.public_jwk) as unknown);
}

function failedStatus(status: number): string {
  return status >= 300 && status < 400
    ? `Answered ${status}: redirects are not followed`
    : `Answered ${status}`;
}

function failure(error: unknown): string {
  if (error instanceof AddressRefused) return error.message;
  if (error instanceof Error && error.name === 'TimeoutError') {
    return `Did not answer within ${ENVIRONMENT_TIMEOUT_MS} ms`;
  }
  const { code, name } = error as NodeJS.ErrnoException;
  return `Could not be reached (${code ?? name})`;
}
