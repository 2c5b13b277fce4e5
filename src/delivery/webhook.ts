import type { LedgerEntry, Target } from '../../db/tables.ts';
import type { EnvironmentSender } from './environment.ts';
import { type EventType, eventOf } from './events.ts';
import { post } from './message.ts';

/** What a webhook is told: one ledger entry. `seq` grows with every entry. */
export interface WebhookMessage {
  type: EventType;
  /** When it happened. */
  timestamp: string;
  data: {
    seq: number;
    /** The id of the ledger entry; of a revocation, the id of that. */
    id: string;
    kind: string;
    /** The row in question, where there is one. */
    targetId: string | null;
    /** As the caller addressed it. */
    target: string;
    reason: string | null;
    comment: string | null;
    actor: string;
    surface: string;
    requestId: string;
  };
}

/**
 * Tells a webhook of a ledger entry, whose id is the message id.
 *
 * @returns undefined once the webhook has acknowledged (2xx); else what went wrong, in words
 */
export async function sendToWebhook(
  sender: EnvironmentSender,
  target: Target,
  seq: number,
): Promise<string | undefined> {
  const entry = await sender.reader
    .selectFrom('ledger')
    .selectAll()
    .where('seq', '=', seq)
    .executeTakeFirstOrThrow();
  return await post(sender, target, entry.id, messageOf(entry));
}

function messageOf(entry: LedgerEntry): WebhookMessage {
  const type = eventOf(entry);
  if (type === undefined) throw new Error(`Entry ${entry.seq} is no event`);
  return {
    type,
    timestamp: new Date(entry.at_ms).toISOString(),
    data: {
      seq: entry.seq,
      id: entry.id,
      kind: entry.kind,
      targetId: entry.target_id,
      target: entry.target,
      reason: entry.reason,
      comment: entry.comment,
      actor: entry.actor,
      surface: entry.surface,
      requestId: entry.request_id,
    },
  };
}
