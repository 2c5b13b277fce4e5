import { Webhook } from 'standardwebhooks';
import type { Target } from '../../db/tables.ts';
import type { SecretKey } from '../keys/secret-key.ts';
import type { AttemptTrace, Traces } from '../observability/traces.ts';
import { AddressRefused, type Outbound } from '../outbound.ts';

/** What sending a message needs. */
export interface MessageSender {
  readonly secretKey: SecretKey;
  readonly outbound: Outbound;
  readonly now: () => number;
  /** Aborts when the gateway stops. */
  readonly stopping: AbortSignal;
  readonly traces?: Traces | undefined;
}

/** Who has not answered by then has failed. */
export const MESSAGE_TIMEOUT_MS = 5_000;

/**
 * Posts a message, signed as Standard Webhooks say: with the target's secret and, for as long as both
 * count, with the one before.
 *
 * @param id the message id: the same at every attempt
 * @returns undefined once the target has acknowledged (2xx); else what went wrong, in words
 */
export async function post(
  sender: MessageSender,
  target: Target,
  id: string,
  message: object,
): Promise<string | undefined> {
  const traced = sender.traces?.attempt(target, id);
  const sending = send(sender, target, id, message, traced?.headers);
  traced?.endsWith(sending);
  return await sending;
}

async function send(
  { secretKey, outbound, now, stopping }: MessageSender,
  target: Target,
  id: string,
  message: object,
  traceHeaders: AttemptTrace['headers'] | undefined,
): Promise<string | undefined> {
  const body = JSON.stringify(message);
  const sentAt = new Date(now());
  const signatures: string[] = [];
  for (const sealed of secretsOf(target, now())) {
    signatures.push(new Webhook(await secretKey.unseal(sealed)).sign(id, sentAt, body));
  }
  try {
    const init = {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'webhook-id': id,
        'webhook-timestamp': String(Math.floor(sentAt.getTime() / 1000)),
        'webhook-signature': signatures.join(' '),
        ...traceHeaders,
      },
      body,
      signal: AbortSignal.any([stopping, AbortSignal.timeout(MESSAGE_TIMEOUT_MS)]),
    };
    const response = await outbound(target.url, init, 'unread');
    // What it says beyond the status is not needed, however long it is.
    await response.body?.cancel().catch(() => undefined);
    return response.ok ? undefined : failedStatus(response.status);
  } catch (error) {
    return failure(error);
  }
}

function secretsOf(target: Target, nowMs: number): string[] {
  const { secret_jwe, previous_secret_jwe, previous_secret_until_ms } = target;
  return previous_secret_jwe !== null && nowMs < (previous_secret_until_ms ?? 0)
    ? [secret_jwe, previous_secret_jwe]
    : [secret_jwe];
}

function failedStatus(status: number): string {
  return status >= 300 && status < 400
    ? `Answered ${status}: redirects are not followed`
    : `Answered ${status}`;
}

function failure(error: unknown): string {
  if (error instanceof AddressRefused) return error.message;
  if (error instanceof Error && error.name === 'TimeoutError') {
    return `Did not answer within ${MESSAGE_TIMEOUT_MS} ms`;
  }
  const { code, name } = error as NodeJS.ErrnoException;
  return `Could not be reached (${code ?? name})`;
}
