import { expect, test } from 'vitest';
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
  expect(stored(h).cut_offs).toEqual([]);
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
