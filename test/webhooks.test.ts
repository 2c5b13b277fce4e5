import { describe, expect, test } from 'vitest';
import { past } from './engine.ts';
import {
  deliveriesTo,
  makeHook,
  mutate,
  open as openMessage,
  openReaching,
  revokeKey,
  until,
  untilAcknowledged,
} from './targets.ts';

/** What webhooks are told, of what, and with which signatures. */

const message = (type: string, data: object) => ({
  type,
  timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
  data: expect.objectContaining(data),
});

test('a webhook is told of a revocation, signed with its own secret', async () => {
  const h = await openReaching();
  const [first, second] = [await makeHook(h, 'first'), await makeHook(h, 'second')];
  const id = await revokeKey(h);
  await untilAcknowledged(h, first, 1);
  await untilAcknowledged(h, second, 1);

  const entry = (await h.ledger()).at(-1);
  const [request] = first.receiver.received;
  if (entry === undefined || request === undefined) throw new Error('nothing received');
  expect(request).toMatchObject({ method: 'POST', url: '/' });
  expect(request.headers).toMatchObject({ 'content-type': 'application/json', 'webhook-id': id });
  expect(first.told()).toEqual([
    {
      ...{ id, type: 'credential.revoked', timestamp: new Date(entry.at_ms).toISOString() },
      data: {
        ...{ seq: entry.seq, id, kind: 'api-key', targetId: entry.target_id },
        ...{ target: entry.target, reason: null, comment: null },
        ...{ actor: 'demo', surface: 'rest', requestId: entry.request_id },
      },
    },
  ]);
  expect(() => openMessage(second.secret, request)).toThrow('No matching signature');
  const altered = { ...request, body: request.body.replace('api-key', 'jwk') };
  expect(() => openMessage(first.secret, altered)).toThrow('No matching signature');
});

test('a webhook is told of each revocation in the order of the ledger', async () => {
  const h = await openReaching({ count: 30 });
  const hook = await makeHook(h, 'hook');
  const ids = await Promise.all(h.demo.apiKey.map((_key, i) => revokeKey(h, i)));
  await untilAcknowledged(h, hook, 30);
  const seqs = hook.told().map(({ data }) => data.seq);
  expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
  expect(
    hook
      .told()
      .map(({ id }) => id)
      .toSorted(),
  ).toEqual(ids.toSorted());
});

test('a webhook is told of its own organization alone, and of nothing that was refused', async () => {
  const h = await openReaching();
  const hook = await makeHook(h, 'hook');
  const { applicationId, keyId } = h.demo.apiKey[0] ?? {};
  const path = `/api/v1/applications/${applicationId}/api-keys/${keyId}`;
  for (const caller of [h.demo.callers.outsider, h.demo.callers.viewer]) {
    expect((await h.rest('DELETE', path, caller)).status).toBeGreaterThanOrEqual(403);
  }
  const made = { name: 'theirs', permissions: ['ledger:read'] };
  const { personalAccessToken } = await mutate<{ personalAccessToken: { id: string } }>(
    h,
    'createPersonalAccessToken',
    made,
    'personalAccessToken { id }',
    h.demo.callers.outsider,
  );
  await mutate(
    h,
    'revokePersonalAccessToken',
    { personalAccessTokenId: personalAccessToken.id },
    '__typename',
    h.demo.callers.outsider,
  );
  await revokeKey(h);
  await untilAcknowledged(h, hook, 1);
  expect(hook.told()).toMatchObject([{ data: { kind: 'api-key' } }]);
  expect(await deliveriesTo(h, hook)).toHaveLength(1);
});

describe('what a webhook is told of', () => {
  test.each<[string, object, string[]]>([
    ['everything', {}, ['api-key', 'access-token']],
    ['revocations', { events: ['CREDENTIAL_REVOKED'] }, ['api-key', 'access-token']],
    ['another event', { events: ['CREDENTIAL_USED_UP', 'TARGET_LATE'] }, []],
    ['one kind', { kinds: ['ACCESS_TOKEN'] }, ['access-token']],
    ['two kinds', { kinds: ['API_KEY', 'ACCESS_TOKEN'] }, ['api-key', 'access-token']],
    ['another kind', { kinds: ['JWT_AUTH', 'TRUSTED_TOKEN'] }, []],
    ['one kind of one event', { events: ['CREDENTIAL_REVOKED'], kinds: ['API_KEY'] }, ['api-key']],
  ])('that asks for %s', async (_what, asked, kinds) => {
    const h = await openReaching();
    const hook = await makeHook(h, 'hook', undefined, asked);
    await revokeKey(h);
    const { tokenId } = h.demo.accessToken[0] ?? {};
    const path = `/api/v1/auth/token-auth/tokens/${tokenId}/revoke`;
    expect((await h.rest('POST', path, h.demo.callers.admin)).status).toBe(200);
    await untilAcknowledged(h, hook, kinds.length);
    expect(hook.told().map(({ data }) => data.kind)).toEqual(kinds);
    // What was not asked for is not even owed.
    expect(await deliveriesTo(h, hook)).toHaveLength(kinds.length);
  });

  test('changes with the webhook: null is everything, and what is not said stays', async () => {
    const h = await openReaching();
    const hook = await makeHook(h, 'hook', undefined, {
      events: ['TARGET_LATE'],
      kinds: ['API_KEY'],
    });
    const shown = 'webhook { name url events kinds }';
    const update = (more: object) =>
      mutate<object>(h, 'updateWebhook', { targetId: hook.id, ...more }, shown);
    const { url } = hook.receiver;
    const before = { name: 'hook', url, events: ['TARGET_LATE'], kinds: ['API_KEY'] };
    expect(await update({})).toEqual({ webhook: before });
    expect(await update({ name: null, url: null })).toEqual({ webhook: before });
    expect(await update({ name: 'siem', events: null })).toEqual({
      webhook: { ...before, name: 'siem', events: null },
    });
    await revokeKey(h);
    await untilAcknowledged(h, hook, 1);
    expect(await update({ kinds: ['JWK'] })).toMatchObject({ webhook: { kinds: ['JWK'] } });
    await revokeKey(h, 1);
    expect(await deliveriesTo(h, hook)).toHaveLength(1);
  });
});

describe('a test', () => {
  interface Tested {
    entryId: string;
    success: boolean;
    message: string;
  }
  const ask = (h: Parameters<typeof makeHook>[0], { id: targetId }: { id: string }) =>
    mutate<Tested>(h, 'testWebhook', { targetId }, 'entryId success message');

  test('goes to one webhook alone, whatever it asks for, and says that it has arrived', async () => {
    const h = await openReaching();
    const hook = await makeHook(h, 'hook', undefined, { events: ['TARGET_LATE'] });
    const other = await makeHook(h, 'other');
    const { entryId, ...said } = await ask(h, hook);
    expect(said).toEqual({ success: true, message: 'Delivered successfully' });
    expect(hook.told()).toEqual([
      { id: entryId, ...message('webhook.test', { id: entryId, kind: 'webhook', target: 'hook' }) },
    ]);
    expect(await deliveriesTo(h, other)).toEqual([]);
    expect((await h.ledger()).at(-1)).toMatchObject({ id: entryId, action: 'test' });
  });

  test('says what went wrong, and is not tried again: it holds up nothing', async () => {
    const h = await openReaching();
    let times = 0;
    const hook = await makeHook(h, 'hook', (r) => r.writeHead(++times === 1 ? 418 : 204).end());
    const { entryId, ...said } = await ask(h, hook);
    expect(said).toEqual({ success: false, message: 'Answered 418' });
    const id = await revokeKey(h);
    await untilAcknowledged(h, hook, 1);
    expect(hook.told().map((message) => message.id)).toEqual([entryId, id]);
    const [tested] = await deliveriesTo(h, hook);
    expect(tested).toMatchObject({ attempts: 1, closed_by: 'gateway', acknowledged_at_ms: null });
  });

  test('behind what fails says so', async () => {
    const h = await openReaching();
    const hook = await makeHook(h, 'hook', (response) => response.writeHead(500).end());
    await revokeKey(h);
    await until(() => expect(hook.receiver.received.length).toBeGreaterThan(0));
    const { success, message: said } = await ask(h, hook);
    expect([success, said]).toEqual([false, 'Waits behind an earlier message: Answered 500']);
  });
});

test('what fails is tried again with the same id and a fresh signature, and the next waits', async () => {
  const h = await openReaching();
  let times = 0;
  const hook = await makeHook(h, 'hook', (r) => r.writeHead(++times <= 2 ? 503 : 204).end());
  const ids = [await revokeKey(h, 0), await revokeKey(h, 1)];
  const [first, second] = await untilAcknowledged(h, hook, 2);
  expect(hook.told().map(({ id }) => id)).toEqual([ids[0], ids[0], ids[0], ids[1]]);
  const sentAt = hook.receiver.received.map(({ headers }) => Number(headers['webhook-timestamp']));
  expect(Number(sentAt[2])).toBeGreaterThan(Number(sentAt[0]));
  expect([first?.attempts, second?.attempts]).toEqual([3, 1]);
});

test('a revocation is done however many targets must learn of it', async () => {
  const h = await openReaching();
  const { id } = await makeHook(h, 'hook', undefined, { events: ['TARGET_LATE'] });
  const other = await past(h.folder);
  await other.all(
    `insert into targets (id, organization_id, kind, scope_id, name, url, secret_jwe, created_at_ms)
     with recursive n(i) as (select 1 union all select i + 1 from n where i < 12000)
     select id || i, organization_id, 'enforcement-point', scope_id, name || i, '', secret_jwe,
       created_at_ms
     from targets, n where id = ?`,
    id,
  );
  await revokeKey(h);
  expect(await other.all('select seq from deliveries')).toHaveLength(12_000);
});
