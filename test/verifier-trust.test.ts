import { expect, test } from 'vitest';
import { follow, makePoint, mutate, reached, said, until } from './enforcement.ts';
import { basic, introspected, post, serveGateway } from './oauth-clients.ts';

/** What a verifier says is what the gateway would, and nobody else's to change. */

/** The same JWT with bits of its signature set that mean nothing. */
function respelt(token: string): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return token.slice(0, -1) + letters[letters.indexOf(token.at(-1) ?? '') + 1];
}

test('a JWT in another spelling is none, and is revoked by it all the same', async () => {
  const h = await serveGateway();
  const verifier = await follow(reached(h));
  const { token = '' } = h.demo.accessToken[0] ?? {};
  expect(await said(verifier, token)).toBe('good');
  expect(await introspected(h, respelt(token))).toEqual({ active: false });
  expect(await said(verifier, respelt(token))).toBe('invalid');
  const leaked = { token: respelt(token) };
  const { headers } = await post(h, 'revoke', leaked, basic(h.demo.oauthClient));
  expect(headers.get('revocation-id')).not.toBeNull();
  await until(async () => (await said(verifier, token)) === 'revoked');
});

test('a verdict that is changed changes no other', async () => {
  const h = await serveGateway();
  const verifier = await follow(reached(h));
  for (const token of [h.demo.callers.viewer, h.demo.apiKey[0]?.key ?? '']) {
    const first = await verifier.verify(token);
    if (!first.ok) throw new Error(first.reason);
    const before = [...first.permissions];
    (first.permissions as string[]).push('organization:admin');
    expect(await verifier.verify(token)).toMatchObject({ permissions: before });
  }
});

test.each(['strict', 'best-effort'] as const)(
  'a point that is revoked says yes no more: %s',
  async (whenStale) => {
    const h = await serveGateway();
    const { id, token } = await makePoint(reached(h), 'edge');
    const verifier = await follow(reached(h), { token, whenStale });
    const { key = '' } = h.demo.apiKey[0] ?? {};
    expect(await said(verifier, key)).toBe('good');
    await mutate(reached(h), 'revokeEnforcementPoint', { enforcementPointId: id });
    await until(async () => (await said(verifier, key)) === 'stale');
    expect(verifier.status()).toMatchObject({ live: false, problem: expect.any(String) });
  },
);
