import { expect } from 'vitest';
import type { LedgerEntry, Target } from '../db/tables.ts';
import { append } from '../src/ledger.ts';
import { newTarget, newWebhookSecret } from '../src/targets/row.ts';
import {
  type Asked,
  type Creation,
  each,
  joined,
  ownerless,
  pasted,
  pathNames,
} from './creation.ts';
import type { Harness } from './harness.ts';
import { add, insert, organizationRow } from './kinds.ts';

/** Adds a webhook to an organization behind the gateway's back. Nobody listens at its URL. */
async function addWebhook(h: Harness, slug: string): Promise<Target> {
  const { gateway } = h.running;
  const { id: organization } = await organizationRow(h, slug);
  const target = newTarget({
    ...{ id: gateway.newId(), kind: 'webhook', name: 'hook', url: 'http://127.0.0.1:9/' },
    ...{ organization_id: organization, scope_id: organization, created_at_ms: gateway.now() },
    secret_jwe: await gateway.secretKey.seal(newWebhookSecret()),
  });
  await insert(h, 'targets', target);
  return target;
}

/** Adds an environment to a new project of an organization, likewise. */
async function addEnvironment(h: Harness, slug: string): Promise<Target> {
  const { gateway } = h.running;
  const project = await add(h, await organizationRow(h, slug), 'project', { slug: 'new' });
  const target = newTarget({
    ...{ id: gateway.newId(), kind: 'environment', name: 'live', url: 'http://127.0.0.1:9/' },
    ...{ organization_id: project.organization_id, scope_id: project.id },
    ...{ created_at_ms: gateway.now() },
    secret_jwe: await gateway.secretKey.seal(newWebhookSecret()),
  });
  await insert(h, 'targets', target);
  return target;
}

/** Records a revocation in an organization, which its targets are owed. */
export async function addRevocation(h: Harness, organization_id: string): Promise<LedgerEntry> {
  const { gateway } = h.running;
  const { entry } = await gateway.writes.run((tx) =>
    append(tx, {
      ...{ id: gateway.newId(), organization_id, at_ms: gateway.now(), action: 'revoke' },
      ...{ kind: 'api-key', target_id: null, target: 'a/b', outcome: 'done', refusal: null },
      ...{ reason: 'UNSPECIFIED', comment: null, actor: 'somebody', actor_id: null },
      ...{ surface: 'rest', request_id: 'req-of-a-test' },
    }),
  );
  return entry;
}

const existing =
  (more: Record<string, unknown> = {}) =>
  async (h: Harness, slug: string): Promise<Asked> => ({
    input: { targetId: (await addWebhook(h, slug)).id, ...more },
  });

/** What all have that are done with a webhook that is there. */
const ofWebhook = {
  kind: 'webhook',
  table: 'targets',
  needs: ['target:manage'],
  address: ['targetId'],
  whateverOwner: true,
  target: () => 'hook',
} as const;

const wrongId = each('targetId', 'a\0b');
const wrongPlaces: Creation['wrong'] = [
  ...pathNames('name'),
  ...each('url', '', 'live', 'ftp://live.example/', 'https://a:b@live.example/'),
  ...each('url', 'http://10.0.0.1/', 'http://[::ffff:10.0.0.1]/', 'http://169.254.169.254/'),
  ...each('url', `https://live.example/${'x'.repeat(2000)}`),
];
const wrongSettings: Creation['wrong'] = [
  ...wrongPlaces,
  ...each('events', []),
  ...each('kinds', [], ['ENVIRONMENT'], ['API_KEY', 'ORGANIZATION'], ['UNKNOWN']),
];

/** What is done with targets, besides the making of environments and enforcement points. */
export const targetCreations: readonly Creation[] = [
  {
    mutation: 'createWebhook',
    kind: 'webhook',
    table: 'targets',
    shows: 'webhook',
    secret: { field: 'secret' },
    needs: ['target:manage'],
    arrange: ownerless({
      ...{ name: 'hook', url: 'https://hooks.example/' },
      ...{ events: ['CREDENTIAL_REVOKED', 'TARGET_STUCK'], kinds: ['API_KEY', 'TRUSTED_TOKEN'] },
    }),
    target: (input) => joined(input, 'name'),
    row: {
      ...{ kind: 'webhook', name: 'hook', url: 'https://hooks.example/', removed_at_ms: null },
      events: '["credential.revoked","target.stuck"]',
      kinds: '["api-key","trusted-token"]',
    },
    wrong: wrongSettings,
    unique: 'NAME_TAKEN',
  },
  {
    ...ofWebhook,
    mutation: 'updateWebhook',
    action: 'update',
    shows: 'webhook',
    arrange: existing({ name: 'renamed', url: 'https://new.example/', events: ['TARGET_LATE'] }),
    row: {
      ...{ name: 'renamed', url: 'https://new.example/', removed_at_ms: null },
      ...{ events: '["target.late"]', kinds: null },
    },
    wrong: [...wrongId, ...wrongSettings],
  },
  {
    ...ofWebhook,
    mutation: 'updateEnvironment',
    action: 'update',
    kind: 'environment',
    shows: 'environment',
    async arrange(h, slug) {
      const { id: targetId } = await addEnvironment(h, slug);
      return { input: { targetId, name: 'renamed', url: 'https://new.example/' } };
    },
    target: () => 'new/live',
    row: { name: 'renamed', url: 'https://new.example/', removed_at_ms: null },
    wrong: [...wrongId, ...wrongPlaces],
  },
  {
    ...ofWebhook,
    mutation: 'removeTarget',
    action: 'remove',
    shows: 'target',
    arrange: existing(),
    row: { removed_at_ms: expect.any(Number), secret_jwe: '', previous_secret_jwe: null },
    wrong: wrongId,
  },
  {
    ...ofWebhook,
    mutation: 'rotateTargetSecret',
    action: 'rotate',
    shows: 'target',
    secret: { field: 'secret' },
    arrange: existing({ overlapSeconds: 60 }),
    row: {
      previous_secret_jwe: expect.stringMatching(/^ey/),
      previous_secret_until_ms: expect.any(Number),
    },
    wrong: [...wrongId, ...each('overlapSeconds', -1, 2_592_001)],
  },
  {
    ...ofWebhook,
    mutation: 'testWebhook',
    action: 'test',
    shows: 'webhook',
    changesNoRow: true,
    arrange: existing(),
    wrong: wrongId,
  },
  {
    ...ofWebhook,
    mutation: 'resumeTarget',
    action: 'resume',
    shows: 'target',
    changesNoRow: true,
    arrange: existing(),
    wrong: wrongId,
  },
  {
    ...ofWebhook,
    mutation: 'closeDelivery',
    action: 'close',
    shows: 'target',
    changesNoRow: true,
    async arrange(h, slug) {
      const { id: targetId, organization_id } = await addWebhook(h, slug);
      const { id: revocationId } = await addRevocation(h, organization_id);
      return { input: { targetId, revocationId, reason: 'told by telephone' } };
    },
    target: (input) => `hook/${input.revocationId}`,
    wrong: [
      ...wrongId,
      ...each('revocationId', 'a\0b'),
      ...each('reason', '', ' ', 'a\0b', pasted, 'x'.repeat(1001)),
    ],
  },
];
