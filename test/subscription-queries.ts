import { expect } from 'vitest';
import { hashSecret } from '../src/secrets.ts';
import { change, tokenWith } from './callers.ts';
import type { Harness } from './harness.ts';

/** Subscribes to what was revoked so far, until the subscriber is revoked itself. */
export async function askSubscription(
  h: Harness,
  record: <T>(asked: () => Promise<T>) => Promise<T>,
): Promise<void> {
  const token = await tokenWith(h, ['ledger:read']);
  const row = (await h.rows()).find(({ secret_hash }) => secret_hash === hashSecret(token));
  const within = h.demo.apiKey[0]?.applicationId;
  const query =
    'subscription ($within: ID) { revocations(after: "0", within: $within) { cursor } }';
  const { body } = await record(async () => {
    const told = h.rest('POST', '/graphql', token, {
      headers: { accept: 'text/event-stream', 'content-type': 'application/json' },
      payload: JSON.stringify({ query, variables: { within } }),
    });
    await change(h, row?.id ?? '', { revoked_at_ms: Date.now(), revoked_by: 'somebody' });
    return await told;
  });
  expect(body).toContain('UNAUTHENTICATED');
}
