import { describe, expect, test } from 'vitest';
import { permissions } from '../src/permissions.ts';
import { hashSecret } from '../src/secrets.ts';
import { change, tokenWith } from './callers.ts';
import {
  basic,
  bearer,
  type Client,
  clientWith,
  introspected,
  post,
  serveTrusting,
  tokenOf,
  values,
} from './oauth-clients.ts';
import { isOnDisk, stored } from './stored.ts';

/** `POST /oauth/revoke`: who may revoke what, what comes of it, and what the ledger keeps. */

type World = Awaited<ReturnType<typeof serveTrusting>>;

const revoke = (h: World, token: string, as: Client | string = h.demo.oauthClient) =>
  post(h, 'revoke', { token }, typeof as === 'string' ? bearer(as) : basic(as));

/** The kind of each value, and what its revocation needs. */
const kinds: Record<keyof typeof values, [kind: string, permission: string]> = {
  'token of JWT Auth': ['access-token', 'token:revoke'],
  'token of Token Auth': ['access-token', 'token:revoke'],
  'JWT of a caller': ['access-token', 'token:revoke'],
  'API key': ['api-key', 'api-key:revoke'],
  'service account token': ['service-account-token', 'service-account-token:revoke'],
  'personal access token': ['personal-access-token', 'personal-access-token:revoke'],
  "client's own token": ['access-token', 'token:revoke'],
  'client secret': ['oauth-client', 'oauth-client:revoke'],
  'JWT of a trusted issuer': ['trusted-token', 'trusted-token:revoke'],
  'JWT of an assigned JWK': ['trusted-token', 'trusted-token:revoke'],
};

describe.each(Object.entries(values))('%s', (name, make) => {
  const [kind, permission] = kinds[name] ?? ['', ''];

  test('is revoked: the answer, the row or the cut-off, and the ledger agree', async () => {
    const h = await serveTrusting();
    const value = await make(h);
    const before = await stored(h);
    const { status, text, headers } = await revoke(h, value);
    expect([status, text, headers.get('content-type')]).toEqual([200, '{}', 'application/json']);
    const entry = (await h.ledger()).at(-1);
    expect(headers.get('revocation-id')).toBe(entry?.id);
    const { clientId } = h.demo.oauthClient;
    expect(entry).toMatchObject({
      ...{ action: 'revoke', kind, outcome: 'done', refusal: null, surface: 'oauth' },
      ...{ actor: 'demo client', actor_id: clientId, request_id: headers.get('x-request-id') },
    });
    const row = (await h.rows()).find(({ secret_hash }) => secret_hash === hashSecret(value));
    const after = await stored(h);
    if (row !== undefined) {
      expect(entry).toMatchObject({ target: row.id, target_id: row.id });
      const marks = { revoked_by: 'demo client', revocation_id: entry?.id, reason: 'UNSPECIFIED' };
      expect(row).toMatchObject({ kind, revoked_at_ms: entry?.at_ms, ...marks });
      // Nothing but its own row has changed.
      const others = ({ revocables = [], ...rest }: typeof after) => [
        revocables.filter((each) => (each as { id: string }).id !== row.id),
        rest,
      ];
      expect(others(after)).toEqual(others(before));
    } else {
      const [cut, ...more] = after.cut_offs as Record<string, unknown>[];
      expect([more, after.revocables]).toEqual([[], before.revocables]);
      expect(cut).toMatchObject({ id: entry?.id, scope: 'token', before_ms: null });
      expect(entry?.target).toBe(`${cut?.issuer}/token/${cut?.value}`);
      expect(entry?.target_id).toBe(entry?.id);
    }
    expect(await isOnDisk(h, value)).toBe(false);
  });

  test(`needs ${permission}, and nothing else`, async () => {
    const h = await serveTrusting();
    const value = await make(h);
    const without = permissions.filter(
      (each) => ![permission, 'organization:admin'].includes(each),
    );
    const before = await stored(h);
    const client = await clientWith(h, without);
    const asClient = await revoke(h, value, client);
    const description = `You lack the permission ${permission}.`;
    expect([asClient.status, asClient.body]).toEqual([
      400,
      { error: 'unauthorized_client', error_description: description },
    ]);
    expect(asClient.headers.get('www-authenticate')).toBeNull();
    const asBearer = await revoke(h, value, await tokenWith(h, without));
    expect([asBearer.status, asBearer.body]).toEqual([
      403,
      { error: 'insufficient_scope', error_description: description },
    ]);
    expect(asBearer.headers.get('www-authenticate')).toBe(
      `Bearer realm="revocation gateway", error="insufficient_scope", scope="${permission}"`,
    );
    const entries = (await h.ledger()).slice(-2);
    for (const entry of entries) {
      expect(entry).toMatchObject({ kind, outcome: 'refused', refusal: 'PERMISSION_DENIED' });
    }
    expect(await isOnDisk(h, value)).toBe(false);
    expect((await stored(h)).cut_offs).toEqual(before.cut_offs);
    expect((await introspected(h, value)).active).toBe(true);
    const may = await clientWith(h, [permission]);
    expect((await revoke(h, value, may)).headers.get('revocation-id')).not.toBeNull();
    expect(await introspected(h, value)).toEqual({ active: false });
  });

  test('of another organization is answered like what does not exist, and stays good', async () => {
    const h = await serveTrusting();
    const value = await make(h);
    const globex = await clientWith(h, ['organization:admin'], { slug: 'globex' });
    const before = await stored(h);
    const answers = [await revoke(h, value, globex), await revoke(h, 'never-heard-of', globex)];
    for (const { status, text, headers } of answers) {
      expect([status, text, headers.get('revocation-id')]).toEqual([200, '{}', null]);
    }
    expect(await stored(h)).toEqual(before);
    expect((await introspected(h, value)).active).toBe(true);
    for (const entry of (await h.ledger()).slice(-2)) {
      expect(entry).toMatchObject({ kind: 'unknown', refusal: 'NOT_FOUND', target_id: null });
      expect(entry.target).toMatch(/^fingerprint:[\w-]{22}$/);
    }
  });

  test('is revoked once, by whoever comes first of 20', async () => {
    const h = await serveTrusting();
    const value = await make(h);
    const answers = await Promise.all(Array.from({ length: 20 }, () => revoke(h, value)));
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`))).toEqual(
      new Set(['200 {}']),
    );
    expect(answers.filter(({ headers }) => headers.has('revocation-id'))).toHaveLength(1);
    const done = (await h.ledger()).filter(
      ({ action, outcome }) => action === 'revoke' && outcome === 'done',
    );
    expect(done).toHaveLength(1);
  });
});

describe('without any permission', () => {
  const none = ['credential:introspect'];

  test('a client revokes its own tokens and then itself, and nothing of others', async () => {
    const h = await serveTrusting();
    const [client, other] = [await clientWith(h, none), await clientWith(h, none)];
    const [token, foreign] = [await tokenOf(h, client), await tokenOf(h, other)];
    for (const value of [foreign, other.clientSecret]) {
      expect((await revoke(h, value, client)).body.error).toBe('unauthorized_client');
      expect((await introspected(h, value)).active).toBe(true);
    }
    for (const value of [token, client.clientSecret]) {
      expect((await revoke(h, value, client)).headers.get('revocation-id')).not.toBeNull();
      expect(await introspected(h, value)).toEqual({ active: false });
    }
    const late = await revoke(h, token, client);
    expect([late.status, late.body.error]).toEqual([401, 'invalid_client']);
  });

  test('a bearer revokes the token that it presents, and is not known after', async () => {
    const h = await serveTrusting();
    const token = await tokenWith(h, none);
    expect((await revoke(h, h.demo.callers.viewer, token)).status).toBe(403);
    expect((await revoke(h, token, token)).headers.get('revocation-id')).not.toBeNull();
    const late = await revoke(h, token, token);
    expect([late.status, late.body.error]).toEqual([401, 'invalid_token']);
  });

  test('a token of a client revokes itself, and neither its sisters nor its client', async () => {
    const h = await serveTrusting();
    const client = await clientWith(h, none);
    const [token, sister] = [await tokenOf(h, client), await tokenOf(h, client)];
    expect((await revoke(h, sister, token)).status).toBe(403);
    expect((await revoke(h, client.clientSecret, token)).status).toBe(403);
    expect((await revoke(h, token, token)).headers.get('revocation-id')).not.toBeNull();
    expect((await introspected(h, sister)).active).toBe(true);
  });
});

test('what has expired is revoked all the same, and so is what lost its owner', async () => {
  const h = await serveTrusting();
  const { keyId = '', key = '', applicationId = '' } = h.demo.apiKey[0] ?? {};
  await change(h, keyId, { expires_at_ms: 1 });
  await change(h, applicationId, { revoked_at_ms: 1 });
  for (const value of [h.demo.callers.expired, key]) {
    expect((await revoke(h, value)).headers.get('revocation-id')).not.toBeNull();
  }
  expect((await h.row(keyId)).revoked_by).toBe('demo client');
});

test('a second time changes nothing, and the ledger says that it was revoked before', async () => {
  const h = await serveTrusting();
  const { keyId = '', key = '' } = h.demo.apiKey[0] ?? {};
  await revoke(h, key);
  const row = await h.row(keyId);
  const { status, text, headers } = await revoke(h, key);
  expect([status, text, headers.get('revocation-id')]).toEqual([200, '{}', null]);
  expect(await h.row(keyId)).toEqual(row);
  expect((await h.ledger()).at(-1)).toMatchObject({
    ...{ kind: 'api-key', target: keyId, target_id: keyId, refusal: 'ALREADY_REVOKED' },
  });
});

test.each(['access_token', 'refresh_token', 'nonsense', ''])(
  'a hint %j changes nothing',
  async (hint) => {
    const h = await serveTrusting();
    const form = { token: h.demo.apiKey[0]?.key ?? '', token_type_hint: hint };
    const { headers } = await post(h, 'revoke', form, basic(h.demo.oauthClient));
    expect(headers.get('revocation-id')).not.toBeNull();
  },
);
