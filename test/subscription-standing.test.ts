import { describe, expect, test, vi } from 'vitest';
import { callers, change, credentialOf, tokenWith } from './callers.ts';
import { type Harness, openGateway } from './harness.ts';
import { addIdentity, ask, newToken } from './identities.ts';
import { ISSUER, makeKey, sign, trusting } from './issuers.ts';
import { mutationOf, organizationRow } from './kinds.ts';
import { revokeKey, type Subscriber, serve, subscribed, targetsOf } from './subscribers.ts';

/** A subscriber is told for as long as it may know, and no longer. */

const reading = JSON.stringify(['ledger:read']);

/** What a subscriber is told last. */
async function end(subscriber: Subscriber) {
  expect(await subscriber.ended).toBe('complete');
  expect(subscriber.refused).toHaveLength(1);
  return subscriber.refused[0];
}

describe.each(callers)('$name', (caller) => {
  test('is told until it is revoked, and then why it is told no more', async () => {
    const h = await openGateway();
    const url = await serve(h);
    const { token, row, input } = await caller.mint(h, { permissions: reading });
    const subscriber = await subscribed(url, token);
    const target = await revokeKey(url, h.demo, 0);
    expect(targetsOf(await subscriber.until(1))).toEqual([target]);

    const mutation = mutationOf(credentialOf(caller.kind));
    await h.graphql(mutation, { input }, h.demo.callers.admin);
    const revokedAt = performance.now();
    expect(await end(subscriber)).toEqual({
      code: 'UNAUTHENTICATED',
      message: 'The token has been revoked.',
    });
    expect(performance.now() - revokedAt).toBeLessThan(1_000);
    await revokeKey(url, h.demo, 1);
    expect(targetsOf(subscriber.told)).toEqual([target]);
    expect((await h.row(row.id)).revoked_at_ms).not.toBeNull();
  });

  // What is in no entry of the ledger is seen without one.
  test.each([
    ['has expired', { expires_at_ms: 1 }, 'UNAUTHENTICATED', 'The token has expired.'],
    [
      'has lost the permission',
      { permissions: '["identity:read"]' },
      'PERMISSION_DENIED',
      'You lack the permission ledger:read.',
    ],
  ])('is told no more once it %s', async (_what, changed, code, message) => {
    const h = await openGateway();
    const { token, row } = await caller.mint(h, { permissions: reading });
    const subscriber = await subscribed(await serve(h), token);
    await change(h, row.id, changed);
    expect(await end(subscriber)).toEqual({ code, message });
    expect(subscriber.told).toEqual([]);
  });
});

test('what is revoked together with the subscriber, or after it, is not told', async () => {
  const h = await openGateway();
  const url = await serve(h);
  const token = await tokenWith(h, ['ledger:read']);
  const subscriber = await subscribed(url, token);
  const row = (await h.rows()).find(({ name }) => name === 'limited');
  const own = { input: { personalAccessTokenId: row?.id } };
  await Promise.all([
    h.graphql(mutationOf(credentialOf('personal-access-token')), own, h.demo.callers.admin),
    ...[0, 1, 2].map((i) => revokeKey(url, h.demo, i)),
  ]);
  expect(await end(subscriber)).toMatchObject({ code: 'UNAUTHENTICATED' });
  const before = (await h.ledger()).findIndex(({ target }) => target === row?.id);
  expect(subscriber.told.length).toBeLessThanOrEqual(before);
});

describe('a JWT of a trusted issuer', () => {
  async function open(now?: () => number) {
    const key = await makeKey();
    const { trustedIssuers } = trusting({ keys: [key.jwk] });
    const h = await openGateway({ config: { trustedIssuers }, ...(now && { now }) });
    const token = await sign(key, { permissions: ['ledger:read'], jti: 'the-token' });
    return { h, subscriber: await subscribed(await serve(h), token) };
  }

  test('is told no more once it is cut off', async () => {
    const { h, subscriber } = await open();
    await ask(h, 'revokeTrustedTokens', { issuer: ISSUER, tokenId: 'the-token' });
    const message = 'Tokens like this one have been revoked.';
    expect(await end(subscriber)).toEqual({ code: 'UNAUTHENTICATED', message });
    expect(subscriber.told).toEqual([]);
  });

  test('is told no more once it has expired', async () => {
    let ahead = 0;
    const { subscriber } = await open(() => Date.now() + ahead);
    ahead = 3_600_000;
    const message = 'The token has expired.';
    expect(await end(subscriber)).toEqual({ code: 'UNAUTHENTICATED', message });
  });
});

/** Resolves once the gateway has read its callers so often again. */
async function readAgain(h: Harness, times: number): Promise<void> {
  const verify = vi.spyOn(h.running.gateway, 'verify');
  await vi.waitUntil(() => verify.mock.calls.length >= times, { timeout: 20_000 });
  verify.mockRestore();
}

test('a subscription is one use of a token, also of one that is used up by it', async () => {
  const h = await openGateway();
  const url = await serve(h);
  const identityId = await addIdentity(h, ['ledger:read']);
  await ask(h, 'attachTokenAuth', { identityId, accessTokenNumUsesLimit: 2 });
  const { token } = await newToken(h, identityId);
  const subscribers = [await subscribed(url, token), await subscribed(url, token)];
  await readAgain(h, 6);
  const target = await revokeKey(url, h.demo, 0);
  for (const subscriber of subscribers) {
    expect(targetsOf(await subscriber.until(1))).toEqual([target]);
  }
  const third = await subscribed(url, token);
  expect(await end(third)).toMatchObject({ code: 'UNAUTHENTICATED' });
});

test('what is shown follows the permissions that the subscriber has by then', async () => {
  const h = await openGateway();
  const url = await serve(h);
  const token = await tokenWith(h, ['ledger:read', 'application:read']);
  const subscriber = await subscribed(url, token, {}, 'kind target revocable { id }');
  const row = (await h.rows()).find(({ name }) => name === 'limited');
  await revokeKey(url, h.demo, 0);
  await subscriber.until(1);
  await change(h, row?.id ?? '', { permissions: reading });
  await revokeKey(url, h.demo, 1);
  const told = await subscriber.until(2);
  expect(told.map(({ revocation }) => revocation.revocable)).toEqual([
    { id: h.demo.apiKey[0]?.keyId },
    null,
  ]);
});

test('it ends for everybody in an organization that is revoked', async () => {
  const h = await openGateway();
  const subscriber = await subscribed(await serve(h), h.demo.callers.outsider);
  const { id } = await organizationRow(h, 'globex');
  await change(h, id, { revoked_at_ms: Date.now(), revoked_by: 'somebody' });
  expect(await end(subscriber)).toEqual({
    code: 'UNAUTHENTICATED',
    message: 'The owner of the token has been revoked.',
  });
});
