import { z } from 'zod';
import type { Revocable } from '../../../db/tables.ts';
import { missingPermissions } from '../../permissions.ts';
import { NotFound, PermissionDenied } from '../../refusals.ts';
import { restCall } from '../../rest/call.ts';
import { kadosei, kadoseiNotFound, kadoseiReply } from '../../rest/dialects/kadosei.ts';
import { hashSecret, newSecret } from '../../secrets.ts';
import { carryOut } from '../carry-out.ts';
import { findById } from '../find.ts';
import { checkExpiry, checkName, together } from '../input.ts';
import { childrenOf } from '../list.ts';
import { createApiKey } from './create.ts';

const paths = ['/api/v1/applications/:id/api-keys'];
const id = z.uuid('Invalid UUID format');

const refused = {
  ...kadosei.common,
  NOT_FOUND: kadoseiNotFound,
  OWNER_REVOKED: kadoseiNotFound,
};

/** A key as it is listed; Kadosei publishes no shape for it. */
const shown = (row: Revocable) => ({
  id: row.id,
  name: row.name,
  createdAt: new Date(row.issued_at_ms).toISOString(),
  expiresAt: row.expires_at_ms === null ? null : new Date(row.expires_at_ms).toISOString(),
  revokedAt: row.revoked_at_ms === null ? null : new Date(row.revoked_at_ms).toISOString(),
});

/** Kadosei: create an API key of an application. The key is shown this once. */
export const createApiKeyRest = restCall({
  dialect: kadosei,
  method: 'POST',
  paths,
  reads: z.object({
    id,
    name: z.string('Required'),
    expiresAt: z.iso.datetime({ offset: true, error: 'Invalid date format' }).nullish(),
  }),
  refusals: createApiKey.refusals,
  async run(gateway, _actor, { id: applicationId, name, expiresAt }, call) {
    const expiresAtMs = expiresAt == null ? null : Date.parse(expiresAt);
    const invalid = together(
      checkName('name', name),
      checkExpiry('expiresAt', expiresAtMs, gateway.now()),
    );
    if (invalid !== undefined) return { refused: invalid };
    const key = newSecret('api-key');
    const input = {
      ...{ id: gateway.newId(), applicationId, name, expiresAtMs },
      secretHash: hashSecret(key),
    };
    const answered = await carryOut(gateway, createApiKey, input, call);
    return 'refused' in answered ? answered : { done: { row: answered.done, key } };
  },
  done: ({ row, key }: { row: Revocable; key: string }) =>
    kadoseiReply(201, { ...shown(row), key }),
  refused,
});

/** Kadosei: list the API keys of an application, newest first, revoked ones included. */
export const listApiKeysRest = restCall({
  dialect: kadosei,
  method: 'GET',
  paths,
  reads: z.object({ id }),
  refusals: [NotFound, PermissionDenied],
  async run(gateway, actor, { id: applicationId }) {
    const { organizationId, permissions } = actor;
    const found = applicationId.toLowerCase();
    const application = await findById(gateway.reader, organizationId, 'application', found);
    if (application === undefined) return { refused: new NotFound('application') };
    const missing = missingPermissions(permissions, ['application:read']);
    if (missing.length > 0) return { refused: new PermissionDenied(missing) };
    const page = { limit: KEYS_MAX };
    return { done: await childrenOf(gateway.reader, application.id, 'api-key', page) };
  },
  done: (rows: Revocable[]) => kadoseiReply(200, { apiKeys: rows.map(shown) }),
  refused,
});

/** Keys that a list shows at the most. */
const KEYS_MAX = 1_000;
