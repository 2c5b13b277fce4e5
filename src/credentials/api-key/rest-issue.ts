import { z } from 'zod';
import type { Revocable } from '../../../db/tables.ts';
import { missingPermissions } from '../../permissions.ts';
import { NotFound, PermissionDenied } from '../../refusals.ts';
import { restCall } from '../../rest/call.ts';
import { kadosei, kadoseiNotFound, kadoseiReply } from '../../rest/dialects/kadosei.ts';
import { listOf, object, orNull, text, time, uuid } from '../../rest/json-schema.ts';
import { hashSecret, newSecret } from '../../secrets.ts';
import { carryOut } from '../carry-out.ts';
import { findById } from '../find.ts';
import { checkExpiry, checkName, NAME_MAX, together } from '../input.ts';
import { childrenOf } from '../list.ts';
import { newRow } from '../row.ts';
import { createApiKey } from './create.ts';

const paths = ['/api/v1/applications/:id/api-keys'];
const id = z.uuid('Invalid UUID format').describe('The id of the application.');

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

const members = {
  id: uuid,
  name: orNull(text),
  createdAt: time,
  expiresAt: orNull(time),
  revokedAt: orNull(time),
};

const example = { id: '01900000-0000-7000-8000-000000000024' };

const sample = newRow({
  ...{ id: '01900000-0000-7000-8000-00000000005b', organization_id: '', kind: 'api-key' },
  name: 'checkout',
  issued_at_ms: Date.UTC(2026, 10, 21, 9),
});

/** Kadosei: create an API key of an application. The key is shown this once. */
export const createApiKeyRest = restCall({
  dialect: kadosei,
  method: 'POST',
  paths,
  reads: z.object({
    id,
    name: z.string('Required').describe(`1 to ${NAME_MAX} characters.`),
    expiresAt: z.iso
      .datetime({ offset: true, error: 'Invalid date format' })
      .nullish()
      .describe('When it ends; never, unless said.'),
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
  describe: {
    operationId: 'createApiKey',
    summary: 'Make an API key of an application',
    description: 'The key is shown this once.',
    permissions: ['api-key:create'],
    example: { ...example, name: 'checkout' },
    body: object({ ...members, key: text }),
    sample: () => ({ row: sample, key: 'rgw_key_…' }),
  },
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
  describe: {
    operationId: 'listApiKeys',
    summary: 'List the API keys of an application',
    description: 'The newest first, revoked ones included.',
    permissions: ['application:read'],
    example,
    body: object({ apiKeys: listOf(object(members)) }),
    sample: () => [sample],
  },
});

/** Keys that a list shows at the most. */
const KEYS_MAX = 1_000;
