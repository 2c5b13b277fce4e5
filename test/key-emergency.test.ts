import { SignJWT } from 'jose';
import { expect, test } from 'vitest';
import { followThrough, reached, said, until } from './enforcement.ts';
import { isActive, mintAt, publishedBy, rotate } from './keys.ts';
import { organizationRow } from './kinds.ts';
import { type Served, serveGateway } from './oauth-clients.ts';
import { settingsIn } from './processes.ts';

/** The signing key has leaked: what others sign with it is good for nobody, as soon as that is known. */

const KEYS = '/.well-known/jwks.json';
const INTROSPECTION = '/oauth/introspect';

/** What somebody signs who has stolen the key. */
async function forgeAt(h: Served): Promise<string> {
  const { kid, privateKey } = await h.running.gateway.signingKeys.current();
  const organization = await organizationRow(h, 'acme');
  const nowS = Math.floor(Date.now() / 1000);
  return await new SignJWT({
    ...{ client_id: 'eve', permissions: ['organization:admin'], scope: 'organization:admin' },
    ...{ organization: 'acme', chain: [organization.id] },
  })
    .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', kid })
    .setIssuer(h.url)
    .setAudience(h.url)
    .setSubject('eve')
    .setJti(crypto.randomUUID())
    .setIssuedAt(nowS)
    .setExpirationTime(nowS + 3_600)
    .sign(privateKey);
}

async function followed() {
  const h = await serveGateway();
  const client = h.demo.oauthClient;
  const { verifier, proxy } = await followThrough(reached(h));
  const forged = await forgeAt(h);
  // Nobody who goes by signatures can know better.
  expect(await said(verifier, forged)).toBe('good');
  expect(await isActive(h.url, client, forged)).toBe(false);
  return { h, client, verifier, proxy, forged, env: settingsIn(h.folder) };
}

test('in an emergency the key is gone at once, at the gateway and at verifiers', async () => {
  const { h, client, verifier, proxy, forged, env } = await followed();
  const real = await mintAt(h.url, client);
  expect(await said(verifier, real.token)).toBe('good');
  const reads = proxy.count(KEYS);

  const { kid, retired } = await rotate(env, '--emergency');
  const retiredAt = performance.now();
  expect(retired).toEqual([real.kid]);
  expect(await publishedBy(h.url)).toEqual([kid]);
  await until(async () => (await said(verifier, forged)) === 'invalid');
  // Verifiers read keys by themselves after 30 s.
  expect(performance.now() - retiredAt).toBeLessThan(5_000);
  expect(verifier.status()).toMatchObject({ live: true, reconnects: 0 });
  expect(await isActive(h.url, client, forged)).toBe(false);

  // Of what the gateway itself has issued it has rows, and says so.
  const asked = proxy.count(INTROSPECTION);
  expect(await said(verifier, real.token)).toBe('good');
  expect(proxy.count(INTROSPECTION)).toBe(asked + 1);
  await until(() => proxy.count(KEYS) > reads);
  const next = await mintAt(h.url, client);
  expect(next.kid).toBe(kid);
  await until(async () => {
    const before = proxy.count(INTROSPECTION);
    const { token } = await mintAt(h.url, client);
    expect(await said(verifier, token)).toBe('good');
    return proxy.count(INTROSPECTION) === before;
  });
  const entries = (await h.ledger()).filter(({ kind }) => kind === 'signing-key');
  const of = entries.filter(
    ({ organization_id }) => organization_id === entries[0]?.organization_id,
  );
  expect(entries).toHaveLength(2 * of.length);
  expect(of.map(({ action, target, reason }) => [action, target, reason])).toEqual([
    ['rotate', kid, 'KEY_COMPROMISE'],
    ['retire', real.kid, 'KEY_COMPROMISE'],
  ]);
}, 60_000);

test('keys that were read before, and come late, do not bring it back', async () => {
  const { verifier, proxy, forged, env } = await followed();
  const held = proxy.hold(KEYS);
  proxy.endFeeds();
  await until(() => held.waiting() === 1 && verifier.status().reconnects === 1);
  await rotate(env, '--emergency');
  await until(async () => (await said(verifier, forged)) === 'invalid');
  const reads = proxy.count(KEYS);
  held.release();
  // Until it reads them again, those of before are all that it has read.
  await until(async () => {
    expect(await said(verifier, forged)).toBe('invalid');
    return proxy.count(KEYS) > reads;
  });
}, 60_000);
