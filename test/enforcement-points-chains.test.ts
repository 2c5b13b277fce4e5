import { decodeJwt } from 'jose';
import { expect, test } from 'vitest';
import { endOf, makePoint } from './feed-client.ts';
import { accessTokenOf, newToken, withJwtAuth, withTokenAuth } from './identities.ts';
import { makeKey, sign } from './issuers.ts';
import { organizationRow } from './kinds.ts';
import { assignedJwt, serveTrusting, tokenOf } from './oauth-clients.ts';
import { gatewayJson, newFolder, settingsIn } from './processes.ts';

/** What lets an enforcement point keep a verdict: the chain of a value, and how long it holds. */

test('a point is told by introspection on what a value stands, and how long to rely on it', async () => {
  const h = await serveTrusting();
  const { id, token } = await makePoint(h);
  const told = async (value: string, by = token) => {
    const response = await fetch(`${h.url}/oauth/introspect`, {
      method: 'POST',
      headers: { authorization: `Bearer ${by}` },
      body: new URLSearchParams({ token: value }),
    });
    return (await response.json()) as Record<string, unknown>;
  };
  const organization = await organizationRow(h, 'acme');
  const position = await endOf(h);
  const { applicationId = '', keyId = '', key = '' } = h.demo.apiKey[0] ?? {};
  const chain = [keyId, applicationId, organization.id];
  expect(await told(key)).toMatchObject({ active: true, chain, position });
  expect(Object.keys(await told(key))).not.toContain('foreign');
  expect(await told(token)).toMatchObject({ chain: [id, organization.id] });
  expect(await told('unknown')).toEqual({ active: false });
  for (const own of ['chain', 'position', 'max_age']) {
    expect(await told(key, h.demo.callers.admin)).not.toHaveProperty(own);
  }

  const limited = await newToken(h, await withTokenAuth(h, { accessTokenNumUsesLimit: 9 }));
  expect(await told(limited.token)).toMatchObject({ uses_limited: true });
  expect(await told(limited.token)).toMatchObject({ uses_limited: true });
  const foreign = { active: true, foreign: true, max_age: 25 };
  expect(await told(await h.trusted())).toMatchObject({ ...foreign, chain: [organization.id] });
  const { token: jwt, jwkId, assignment } = await assignedJwt(h);
  const above = (await told(jwt)).chain as string[];
  expect(await told(jwt)).toMatchObject(foreign);
  expect(above).toEqual(expect.arrayContaining([assignment.id, assignment.parent_id, jwkId]));
});

test('a JWT of the gateway names all that it stands on, and whether its uses count', async () => {
  const h = await serveTrusting();
  const key = await makeKey();
  const organization = await organizationRow(h, 'acme');
  const above = async (token: string) => {
    const { jti = '', chain, uses_limited } = decodeJwt(token);
    let row = await h.row(jti);
    const ids: string[] = [];
    for (; row.parent_id !== null; row = await h.row(row.parent_id)) ids.push(row.parent_id);
    expect(chain).toEqual(ids);
    expect(ids.at(-1)).toBe(organization.id);
    return [ids.length, uses_limited];
  };
  const identityId = await withJwtAuth(h, key, { accessTokenNumUsesLimit: 2 });
  expect(await above(await accessTokenOf(h, { identityId, jwt: await sign(key) }))).toEqual([
    3,
    true,
  ]);
  expect(await above((await newToken(h, await withTokenAuth(h))).token)).toEqual([3, undefined]);
  expect(await above(await tokenOf(h, h.demo.oauthClient))).toEqual([2, undefined]);
  expect(await above(h.demo.callers.admin)).toEqual([1, undefined]);
  expect(await above(h.demo.jwtAuth[0]?.accessToken ?? '')).toEqual([3, undefined]);

  const settings = settingsIn(newFolder());
  const { id } = await gatewayJson<{ id: string }>(settings, 'organization', 'create', 'acme');
  const minting = ['token', '--organization', 'acme', '--permissions', 'ledger:read'];
  const { token } = await gatewayJson<{ token: string }>(settings, ...minting);
  expect(decodeJwt(token).chain).toEqual([id]);
});
