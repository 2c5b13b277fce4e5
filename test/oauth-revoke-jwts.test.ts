import { expect, test } from 'vitest';
import { change } from './callers.ts';
import { add, insert } from './kinds.ts';
import {
  assignedJwt,
  basic,
  introspected,
  post,
  type Served,
  serveTrusting,
} from './oauth-clients.ts';
import { stored } from './stored.ts';

/** `POST /oauth/revoke` for JWTs of others: they are no rows, so each is cut off by itself. */

const revoke = (h: Served, token: string) =>
  post(h, 'revoke', { token }, basic(h.demo.oauthClient));

test('a JWT of others ends alone: others of its issuer and its subject stay good', async () => {
  const h = await serveTrusting();
  const [token, sister] = [await h.trusted(), await h.trusted()];
  const [signed, assigned] = [
    await assignedJwt(h, { jti: 'one' }),
    await assignedJwt(h, { jti: 'one' }),
  ];
  for (const value of [token, signed.token]) await revoke(h, value);
  for (const value of [token, signed.token]) {
    expect(await introspected(h, value)).toEqual({ active: false });
  }
  for (const value of [sister, assigned.token]) {
    expect((await introspected(h, value)).active).toBe(true);
  }
});

test('one that is not good is not cut off, since nobody vouches for what it says', async () => {
  const h = await serveTrusting();
  const token = await h.trusted({ jti: 'the-token' });
  const forged = `${token.slice(0, -8)}AAAAAAAA`;
  const expired = await h.trusted({ jti: 'the-token', exp: 1 });
  for (const value of [forged, expired]) {
    const { status, headers } = await revoke(h, value);
    expect([status, headers.get('revocation-id')]).toEqual([200, null]);
  }
  expect((await stored(h)).cut_offs).toEqual([]);
  expect((await introspected(h, token)).active).toBe(true);
});

test.each([
  ['a secret', 'rgw_key_pasted-as-a-jti'],
  ['a line of its own', 'a\nb'],
  ['a long text', 'x'.repeat(5_000)],
])('one whose jti is %s does not have it in the ledger', async (_what, jti) => {
  const h = await serveTrusting();
  const token = await h.trusted({ jti });
  await revoke(h, token);
  expect(await introspected(h, token)).toEqual({ active: false });
  expect((await h.ledger()).at(-1)?.target).toMatch(
    /^https:\/\/issuer\.example\/token\/sha256:[\w-]{43}$/,
  );
});

/** Other spellings of a JWT that ES256 signed, each with a good signature where it is read at all. */
function spellings(token: string): string[] {
  const [header, payload, signature = ''] = token.split('.');
  const bytes = Buffer.from(signature, 'base64url');
  const order = BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551');
  const s = BigInt(`0x${bytes.subarray(32).toString('hex')}`);
  const twin = Buffer.from((order - s).toString(16).padStart(64, '0'), 'hex');
  const last = signature.at(-1) ?? '';
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const unused = letters[letters.indexOf(last) + 1];
  return [
    ...[token, `${token} `, `${token}\n`, `${token}==`, `\t${token}`],
    `${header}.${payload}.${signature.slice(0, -1)}${unused}`,
    `${header}.${payload}.${Buffer.concat([bytes.subarray(0, 32), twin]).toString('base64url')}`,
  ];
}

test('one without a jti is revoked in every spelling', async () => {
  const h = await serveTrusting();
  const trusted = await h.trusted({ jti: undefined });
  const { token: assigned } = await assignedJwt(h);
  for (const token of [trusted, assigned]) {
    expect((await introspected(h, token)).active).toBe(true);
    expect((await introspected(h, spellings(token).at(-1) ?? '')).active).toBe(true);
    expect((await revoke(h, token)).headers.get('revocation-id')).not.toBeNull();
    for (const spelling of spellings(token)) {
      expect(await introspected(h, spelling)).toEqual({ active: false });
    }
  }
});

test.each(['nbf', 'iat'])('one whose %s is still to come never becomes good', async (claim) => {
  const clock = { now: Date.now() };
  const h = await serveTrusting({ now: () => clock.now });
  const later = Math.floor(clock.now / 1000) + 60;
  const [token, sister] = [
    await h.trusted({ [claim]: later }),
    await h.trusted({ [claim]: later }),
  ];
  const { status, headers } = await revoke(h, token);
  expect([status, headers.get('revocation-id')]).toEqual([200, expect.any(String)]);
  clock.now += 120_000;
  expect(await introspected(h, token)).toEqual({ active: false });
  expect((await introspected(h, sister)).active).toBe(true);
});

test('one that is revoked while its JWK is not assigned is not revived by assigning that', async () => {
  const h = await serveTrusting();
  const iat = Math.floor(Date.now() / 1000) + 3;
  const { token, jwkId, assignment } = await assignedJwt(h, { jti: 'leaked', iat });
  const sister = await assignedJwt(h, { iat });
  await change(h, assignment.id, { revoked_at_ms: 1, revoked_by: 'somebody' });
  expect((await revoke(h, token)).headers.get('revocation-id')).not.toBeNull();
  const owner = await h.row(assignment.parent_id ?? '');
  const again = await add(h, owner, 'jwk-validation', {});
  await insert(h, 'jwk_assignments', { id: again.id, jwk_id: jwkId });
  expect(await introspected(h, token)).toEqual({ active: false });
  expect((await introspected(h, sister.token)).active).toBe(true);
});
