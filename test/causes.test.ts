import { isObjectType, isUnionType } from 'graphql';
import { describe, expect, test, vi } from 'vitest';
import { credentials } from '../src/credentials/kinds.ts';
import type { WebhookMessage } from '../src/delivery/webhook.ts';
import { buildSchema } from '../src/graphql/schema.ts';
import { assign, makeCredential, makeJwk, names } from './assigned.ts';
import type { Harness } from './harness.ts';
import { newToken, withTokenAuth } from './identities.ts';
import { ISSUER, trusting } from './issuers.ts';
import { makeTarget, mutationOf, restPath } from './kinds.ts';
import { type Loopback, listen } from './loopback.ts';
import { basic, post, type Served, serveTrusting, values } from './oauth-clients.ts';

/** Whatever ends a credential, those who must learn of it do. */

const { outboundAllow } = trusting({ jwksUrl: 'https://issuer.example/jwks' });

/** A gateway with a webhook and an enforcement point. */
async function open() {
  const receiver = await listen((response) => response.end());
  const h = await serveTrusting({ config: { outboundAllow } });
  const { data } = await h.graphql<{ point: { enforcementPoint: { id: string } } }>(
    `mutation ($url: String!) {
      createWebhook(input: { name: "all", url: $url }) { __typename }
      point: createEnforcementPoint(input: { name: "edge" }) {
        ... on CreateEnforcementPointSuccess { enforcementPoint { id } } }
    }`,
    { url: receiver.url },
    h.demo.callers.admin,
  );
  return { h, receiver, pointId: data.point.enforcementPoint.id };
}

/** What a webhook was told of a ledger entry, once it was. */
async function toldOf({ received }: Loopback, id: string): Promise<WebhookMessage> {
  const find = () => received.find(({ headers }) => headers['webhook-id'] === id);
  await vi.waitUntil(() => find() !== undefined, { timeout: 5_000 });
  return JSON.parse(find()?.body ?? '') as WebhookMessage;
}

async function expectTold(
  { h, receiver, pointId }: { h: Harness; receiver: Loopback; pointId: string },
  id: string,
  type = 'credential.revoked',
): Promise<void> {
  const message = await toldOf(receiver, id);
  expect(message).toMatchObject({ type, data: { id } });
  await expectAllRecorded(h);
  const owed = await h.running.database.reader
    .selectFrom('deliveries')
    .select('target_id')
    .where('seq', '=', message.data.seq)
    .execute();
  expect(owed.map(({ target_id }) => target_id)).toContain(pointId);
}

const admin = ({ demo }: Harness) => demo.callers.admin;

describe.each(credentials.map((credential) => [credential.graph.mutation, credential] as const))(
  '%s',
  (_mutation, credential) => {
    test('through GraphQL', async () => {
      const opened = await open();
      const { h } = opened;
      const { input } = await makeTarget(h, credential.graph.kind, 'acme');
      const { data } = await h.graphql<{ result: { revocation: { id: string } } }>(
        mutationOf(credential),
        { input },
        admin(h),
      );
      await expectTold(opened, data.result.revocation.id);
    });

    if (credential.rest === undefined) return;
    const { method } = credential.rest;

    test('through REST', async () => {
      const opened = await open();
      const { h } = opened;
      const { input } = await makeTarget(h, credential.graph.kind, 'acme');
      const { headers } = await h.rest(method, restPath(credential, input), admin(h));
      await expectTold(opened, headers['revocation-id'] ?? '');
    });
  },
);

test.each(Object.entries(values))('%s, by its value', async (_kind, make) => {
  const opened = await open();
  const { h } = opened;
  const { headers } = await post(
    h as Served,
    'revoke',
    { token: await make(h) },
    basic(h.demo.oauthClient),
  );
  await expectTold(opened, headers.get('revocation-id') ?? '');
});

test.each(['tokenId', 'subject', 'keyId', 'issuedBefore'])(
  'JWTs of a trusted issuer, by %s',
  async (field) => {
    const opened = await open();
    const { h } = opened;
    const value = field === 'issuedBefore' ? new Date().toISOString() : 'x';
    const { data } = await h.graphql<{ result: { revocation: { id: string } } }>(
      `mutation ($input: RevokeTrustedTokensInput!) { result: revokeTrustedTokens(input: $input) {
        ... on RevocationSuccess { revocation { id } } } }`,
      { input: { issuer: ISSUER, [field]: value } },
      admin(h),
    );
    await expectTold(opened, data.result.revocation.id);
  },
);

test('the last use of a token', async () => {
  const opened = await open();
  const { h, receiver } = opened;
  const identityId = await withTokenAuth(h, { accessTokenNumUsesLimit: 2 });
  const { token, id } = await newToken(h, identityId);
  const path = '/api/v1/auth/token-auth/tokens/nothing/revoke';
  for (const known of [true, true, false]) {
    expect((await h.rest('POST', path, token)).status === 404).toBe(known);
  }
  const entries = await h.ledger();
  const used = entries.filter(({ action }) => action === 'use-up');
  expect(used).toMatchObject([{ kind: 'access-token', target_id: id, outcome: 'done' }]);
  await expectTold(opened, used[0]?.id ?? '', 'credential.used_up');
  const told = receiver.received.filter(({ body }) => body.includes('credential.used_up'));
  expect(told).toHaveLength(1);
});

test.each(['Validation', 'Encryption'])(
  'a JWK for %s that another takes the place of',
  async (use) => {
    const opened = await open();
    const { h } = opened;
    await makeCredential(h);
    const [first, second] = [names, { ...names, jwkName: 'second' }];
    for (const given of [first, second]) await makeJwk(h, given);
    await assign(h, first, use as 'Validation');
    await assign(h, second, use as 'Validation');
    const entries = await h.ledger();
    const [revocation] = entries.filter(({ action }) => action === 'revoke');
    expect(revocation).toMatchObject({ reason: 'SUPERSEDED', outcome: 'done' });
    expect(await h.row(revocation?.target_id ?? '')).toMatchObject({
      revocation_id: revocation?.id,
    });
    await expectTold(opened, revocation?.id ?? '');
  },
);

/** Whoever ends a row leaves an entry of its own, whatever was asked for. */
async function expectAllRecorded(h: Harness): Promise<void> {
  const entries = await h.ledger();
  const revocations = new Set(
    entries.filter(({ action }) => action === 'revoke').map(({ id }) => id),
  );
  const ended = (await h.rows()).filter((row) => row.revoked_at_ms !== null);
  expect(ended.filter((row) => !revocations.has(row.revocation_id ?? ''))).toEqual([]);
}

test('there is no other mutation that revokes', () => {
  const schema = buildSchema(credentials);
  const mutations = Object.values(schema.getMutationType()?.getFields() ?? {});
  const revoking = mutations.filter(
    ({ type }) =>
      'ofType' in type &&
      isUnionType(type.ofType) &&
      type.ofType
        .getTypes()
        .some(
          (each) =>
            isObjectType(each) &&
            each.getInterfaces().some(({ name }) => name === 'RevocationSuccess'),
        ),
  );
  expect(revoking.map(({ name }) => name).toSorted()).toEqual(
    [...credentials.map(({ graph }) => graph.mutation), 'revokeTrustedTokens'].toSorted(),
  );
});
