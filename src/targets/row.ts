import { randomBytes } from 'node:crypto';
import type { Target } from '../../db/tables.ts';

/** A target that is told of everything and lacks nothing yet: what is not said is null. */
export function newTarget(
  row: Pick<
    Target,
    'id' | 'organization_id' | 'kind' | 'scope_id' | 'name' | 'url' | 'secret_jwe' | 'created_at_ms'
  > &
    Partial<Target>,
): Target {
  return {
    removed_at_ms: null,
    events: null,
    kinds: null,
    previous_secret_jwe: null,
    previous_secret_until_ms: null,
    late_since_ms: null,
    claimed_by: null,
    claimed_until_ms: null,
    ...row,
  };
}

/** A new secret as Standard Webhooks have it: what a target is told is signed with it. */
export const newWebhookSecret = (): string => `whsec_${randomBytes(32).toString('base64')}`;
