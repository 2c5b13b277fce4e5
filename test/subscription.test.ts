import { describe, expect, test } from 'vitest';
import { credentialOf, tokenWith } from './callers.ts';
import { type Harness, openGateway } from './harness.ts';
import { ask } from './identities.ts';
import { ISSUER, makeKey, openTrusting } from './issuers.ts';
import { add, makeTarget, mutationOf, organizationRow } from './kinds.ts';
import {
  revokeKey,
  type Subscriber,
  serve,
  subscribe,
  subscribed,
  targetsOf,
} from './subscribers.ts';

/** What the subscription tells, and to whom: over real HTTP, to the library that clients use. */

const UNKNOWN_ID = '0190dead-0000-7000-8000-00000000dead';

test('a revocation is told as soon as it is answered, through whatever surface', async () => {
  const h = await openGateway();
  const url = await serve(h);
  const { admin } = h.demo.callers;
  const fields = 'id kind target revokedAt reason comment actor revocable { id revokedAt }';
  const subscriber = await subscribed(url, admin, {}, fields);
  const { tokenId } = h.demo.accessToken[0] ?? {};

  await revokeKey(url, h.demo, 0);
  const answeredAt = performance.now();
  await subscriber.until(1);
  expect(performance.now() - answeredAt).toBeLessThan(1_000);
  const { data } = await h.graphql<{ result: { revocation: object } }>(
    mutationOf(credentialOf('access-token')),
    { input: { tokenId, reason: 'KEY_COMPROMISE', comment: 'seen in a log' } },
    admin,
  );
  const [first, second] = await subscriber.until(2);
  expect(first?.revocation).toMatchObject({ kind: 'API_KEY', reason: 'UNSPECIFIED' });
  expect(second?.revocation).toEqual(data.result.revocation);
  expect(second?.revocation).toMatchObject({
    revocable: { id: tokenId, revokedAt: expect.any(String) },
  });

  const cursors = (await h.ledger()).map(({ seq }) => String(seq));
  expect(subscriber.told.map(({ cursor }) => cursor)).toEqual(cursors);
});

test('what was refused, made or changed is not told', async () => {
  const h = await openGateway();
  const url = await serve(h);
  const { admin, viewer } = h.demo.callers;
  const subscriber = await subscribed(url, admin);
  const { applicationId = '', keyId = '' } = h.demo.apiKey[0] ?? {};
  const path = `/api/v1/applications/${applicationId}/api-keys/${keyId}`;
  expect((await h.rest('DELETE', path, viewer)).status).toBe(403);
  await ask(h, 'createIdentity', { name: 'made', permissions: [] });
  const last = await revokeKey(url, h.demo, 0);
  expect(targetsOf(await subscriber.until(1))).toEqual([last]);
  expect((await h.ledger()).map(({ action, outcome }) => `${action} ${outcome}`)).toEqual([
    'revoke refused',
    'create done',
    'revoke done',
  ]);
});

test('it begins now, after a cursor, after an entry of the ledger, or at the beginning', async () => {
  const h = await openGateway({ count: 6 });
  const url = await serve(h);
  const { admin } = h.demo.callers;
  const targets: string[] = [];
  const revoke = async (count: number) => {
    for (let i = 0; i < count; i++) targets.push(await revokeKey(url, h.demo, targets.length));
  };
  const all = await subscribed(url, admin, { after: '0' });
  await revoke(2);
  const [, second] = await all.until(2);
  await revoke(1);
  const { data } = await h.graphql<{ me: { ledger: { edges: { cursor: string }[] } } }>(
    '{ me { ledger(first: 1) { edges { cursor } } } }',
    {},
    admin,
  );
  const now = await subscribed(url, admin);
  const nothing = await subscribed(url, admin, { after: null });
  await revoke(2);
  const resumed = await subscribed(url, admin, { after: second?.cursor ?? '' });
  const read = await subscribed(url, admin, { after: data.me.ledger.edges[0]?.cursor ?? '' });
  await revoke(1);

  expect(targetsOf(await all.until(6))).toEqual(targets);
  expect(targetsOf(await resumed.until(4))).toEqual(targets.slice(2));
  for (const subscriber of [now, nothing, read]) {
    expect(targetsOf(await subscriber.until(3))).toEqual(targets.slice(3));
  }
});

const kindsOf = ({ told }: Subscriber) =>
  told.map(({ revocation }) => revocation.kind.toLowerCase().replaceAll('_', '-'));

describe('filters', () => {
  /** Revokes one of several kinds, here and there; gives what is below what. */
  async function revokeSeveral(h: Harness, url: string) {
    const { admin } = h.demo.callers;
    const revoke = async (kind: string, input: Record<string, string | undefined>) => {
      const { data } = await h.graphql(mutationOf(credentialOf(kind)), { input }, admin);
      expect(data).toMatchObject({ result: { revocation: {} } });
    };
    const [first, second] = h.demo.apiKey;
    const { identityId = '' } = h.demo.jwtAuth[0] ?? {};
    const { projectName = '', username = '' } = h.demo.jwkValidation[0] ?? {};
    await revokeKey(url, h.demo, 0);
    await revokeKey(url, h.demo, 1);
    await revoke('application', { applicationId: first?.applicationId });
    await revoke('jwt-auth', { identityId });
    await revoke('jwk-validation', { projectName, username });
    await revoke('access-token', { tokenId: h.demo.accessToken[0]?.tokenId });
    await ask(h, 'revokeTrustedTokens', { issuer: ISSUER });
    const rows = await h.rows();
    const idOf = (kind: string, slug: string) =>
      rows.find((row) => row.kind === kind && row.slug === slug)?.id ?? '';
    return {
      ...{ first, second, identityId },
      organizationId: idOf('organization', 'acme'),
      projectId: idOf('project', projectName),
    };
  }

  test('only the kinds that are named, only what lies within, or both', async () => {
    const key = await makeKey();
    const h = await openTrusting({ keys: [key.jwk] });
    const url = await serve(h);
    const { admin } = h.demo.callers;
    const made = await revokeSeveral(h, url);
    const kinds = (await h.ledger()).map(({ kind }) => kind);
    expect(kinds).toHaveLength(7);
    const within = (id: string | undefined) => ({ after: '0', within: id ?? '' });
    const cases: [object, string[]][] = [
      [{ after: '0' }, kinds],
      [{ after: '0', kinds: ['API_KEY'] }, ['api-key', 'api-key']],
      [{ after: '0', kinds: ['JWT_AUTH', 'APPLICATION'] }, ['application', 'jwt-auth']],
      [{ after: '0', kinds: ['TRUSTED_TOKEN'] }, ['trusted-token']],
      [within(made.organizationId), kinds],
      [within(made.first?.applicationId), ['api-key', 'application']],
      [within(made.second?.applicationId), ['api-key']],
      [within(made.second?.keyId), ['api-key']],
      [within(made.identityId), ['jwt-auth']],
      [within(made.projectId), ['jwk-validation']],
      [{ ...within(made.first?.applicationId), kinds: ['API_KEY'] }, ['api-key']],
    ];
    const subscribers: [Subscriber, string[]][] = [];
    for (const [asked, expected] of cases) {
      subscribers.push([await subscribed(url, admin, asked), expected]);
    }
    // Subscribed last, and told of everything: by then nothing is on its way to the others.
    await (await subscribed(url, admin, { after: '0' })).until(kinds.length);
    for (const [subscriber, expected] of subscribers) {
      await subscriber.until(expected.length);
      expect(kindsOf(subscriber)).toEqual(expected);
    }
  });
});

describe('who may not, or asks for what cannot be', () => {
  const cases: [string, (h: Harness) => Promise<[string | undefined, object]>, string, string][] = [
    ['nobody', async () => [undefined, {}], 'UNAUTHENTICATED', 'Authentication is required'],
    ['an expired token', async (h) => [h.demo.callers.expired, {}], 'UNAUTHENTICATED', 'expired'],
    [
      'a caller without the permission',
      async (h) => [h.demo.callers.viewer, { after: 'nonsense' }],
      'PERMISSION_DENIED',
      'You lack the permission ledger:read.',
    ],
    ...['', 'x', '-1', '1.5', '1e3', '٣', '0190dead-0000-7000-8000-00000000dead'].map(
      (after): (typeof cases)[number] => [
        `the cursor "${after}"`,
        async (h) => [h.demo.callers.admin, { after }],
        'BAD_USER_INPUT',
        'This is not a cursor of this subscription.',
      ],
    ),
    [
      'a cursor ahead of the ledger',
      async (h) => [h.demo.callers.admin, { after: '1' }],
      'BAD_USER_INPUT',
      'This cursor is ahead of the ledger: it is of another.',
    ],
    ['no kind', async (h) => [h.demo.callers.admin, { kinds: [] }], 'BAD_USER_INPUT', 'No kinds'],
    ...(['nothing', 'no id', "another organization's"] as const).map(
      (what): (typeof cases)[number] => [
        `${what} as within`,
        async (h) => {
          const foreign = (await add(h, await organizationRow(h, 'globex'), 'application')).id;
          const ids = { nothing: UNKNOWN_ID, 'no id': '\0', "another organization's": foreign };
          return [h.demo.callers.admin, { within: ids[what] }];
        },
        'BAD_USER_INPUT',
        'Nothing in your organization has the id that "within" says.',
      ],
    ),
  ];

  test.each(cases)('%s', async (_who, arrange, code, message) => {
    const h = await openGateway();
    const url = await serve(h);
    const [token, asked] = await arrange(h);
    const subscriber = subscribe(url, token, asked);
    expect(await subscriber.ended).toBe('complete');
    expect(subscriber.refused).toEqual([{ code, message: expect.stringContaining(message) }]);
    expect(subscriber.told).toEqual([]);
    expect(await h.ledger()).toEqual([]);
  });
});

test("an organization is told of its own revocations, and of nobody else's", async () => {
  const h = await openGateway();
  const url = await serve(h);
  const { admin, outsider } = h.demo.callers;
  const inside = await subscribed(url, admin, { after: '0' });
  const outside = await subscribed(url, outsider, { after: '0' });
  const target = await revokeKey(url, h.demo, 0);
  expect(targetsOf(await inside.until(1))).toEqual([target]);
  const { input } = await makeTarget(h, 'application', 'globex');
  await h.graphql(mutationOf(credentialOf('application')), { input }, outsider);
  expect(targetsOf(await outside.until(1))).toEqual([input.applicationId]);
  await revokeKey(url, h.demo, 1);
  await inside.until(2);
  expect(outside.told).toHaveLength(1);
});

test('the thing itself is shown as it is by then, and only to those who may see it', async () => {
  const h = await openGateway();
  const url = await serve(h);
  const fields = 'kind target revocable { revokedAt }';
  const reader = await tokenWith(h, ['ledger:read']);
  const blind = await subscribed(url, reader, {}, fields);
  const seeing = await subscribed(url, h.demo.callers.admin, {}, fields);
  const { applicationId } = h.demo.apiKey[0] ?? {};
  await revokeKey(url, h.demo, 0);
  await h.graphql(
    mutationOf(credentialOf('application')),
    { input: { applicationId } },
    h.demo.callers.admin,
  );
  for (const { revocation } of await blind.until(2)) expect(revocation.revocable).toBeNull();
  for (const { revocation } of await seeing.until(2)) {
    expect(revocation.revocable).toEqual({ revokedAt: expect.any(String) });
  }
});
