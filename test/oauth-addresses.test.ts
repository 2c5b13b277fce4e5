import { expect, test } from 'vitest';
import { whoIs } from './callers.ts';
import { insert } from './kinds.ts';
import { basic, introspected, post, type Served, serveGateway } from './oauth-clients.ts';

/** Tokens that are limited to addresses and uses, as introspection sees them. */

const v4 = (ipAddress: string, prefix?: number) => ({
  ...{ ipAddress, type: 'ipv4' },
  ...(prefix !== undefined && { prefix }),
});
const v6 = (ipAddress: string, prefix: number) => ({ ipAddress, type: 'ipv6', prefix });
const everywhere = [v4('0.0.0.0', 0), v6('::', 0)];

/** A gateway with a token that may be used from these addresses, and so often. */
async function open(trusted: object[], num_uses_limit = 0) {
  const h = await serveGateway();
  const { tokenId = '', token = '' } = h.demo.accessToken[0] ?? {};
  const { parent_id } = await h.row(tokenId);
  await h.running.gateway.writes.run(async (tx) => {
    await tx
      .updateTable('auth_methods')
      .set({ access_token_trusted_ips: JSON.stringify(trusted) })
      .where('id', '=', parent_id ?? '')
      .execute();
  });
  const times = { ttl_s: 1, max_ttl_s: 1, period_s: 0, updated_at_ms: 1 };
  await insert(h, 'access_tokens', { id: tokenId, ...times, num_uses: 0, num_uses_limit });
  return { h, tokenId, token };
}

test.each<[string, object[], string[] | undefined]>([
  ['everywhere', everywhere, undefined],
  ['everywhere, and some place beside', [v4('10.0.0.1'), ...everywhere], undefined],
  ['all of IPv4', [v4('0.0.0.0', 0)], ['0.0.0.0/0']],
  ['some networks', [v4('10.0.0.0', 8), v6('2001:db8::', 32)], ['10.0.0.0/8', '2001:db8::/32']],
  ['one address', [v4('10.0.0.1')], ['10.0.0.1']],
  ['nowhere', [], []],
])('a token for %s says so to those who do not say from where it came', async (...given) => {
  const [, trusted, said] = given;
  const { h, token } = await open(trusted);
  const { active, trusted_ips } = await introspected(h, token);
  expect([active, trusted_ips]).toEqual([true, said]);
});

test.each<[string, boolean]>([
  ['10.1.2.3', true],
  ['::ffff:10.1.2.3', true],
  ['11.1.2.3', false],
  ['2001:db8::1', false],
])('from %s it is active: %s', async (client_ip, active) => {
  const { h, token } = await open([v4('10.0.0.0', 8)]);
  const said = await introspected(h, token, { client_ip });
  expect(said.active).toBe(active);
  expect(said.trusted_ips).toBeUndefined();
  if (!active) expect(said).toEqual({ active: false });
});

test.each(['here', '10.0.0.0/8', '10.0.0.256', '1', '10.1.2.3, 10.1.2.4', '[::1]'])(
  '%s is no address',
  async (client_ip) => {
    const { h, token } = await open(everywhere);
    const answer = await post(h, 'introspect', { token, client_ip }, basic(h.demo.oauthClient));
    expect([answer.status, answer.body]).toEqual([
      400,
      {
        error: 'invalid_request',
        error_description: 'The parameter client_ip is no IP address.',
      },
    ]);
  },
);

test('what is limited nowhere is active from everywhere', async () => {
  const h = await serveGateway();
  for (const token of [h.demo.callers.viewer, h.demo.apiKey[0]?.key ?? '']) {
    const said = await introspected(h, token, { client_ip: '203.0.113.7' });
    expect([said.active, said.trusted_ips]).toEqual([true, undefined]);
  }
});

const usesOf = async (h: Served, id: string) =>
  (
    await h.running.database.reader
      .selectFrom('access_tokens')
      .select('num_uses')
      .where('id', '=', id)
      .executeTakeFirstOrThrow()
  ).num_uses;

test('asking about a token is no use of it, and one that is used up is not active', async () => {
  const { h, token, tokenId } = await open(everywhere, 2);
  for (let i = 0; i < 5; i++) expect((await introspected(h, token)).active).toBe(true);
  const from = { client_ip: '203.0.113.7' };
  expect((await introspected(h, token, from)).active).toBe(true);
  expect(await usesOf(h, tokenId)).toBe(0);
  for (const uses of [1, 2]) {
    expect((await introspected(h, token)).active).toBe(true);
    await whoIs(h, token);
    expect(await usesOf(h, tokenId)).toBe(uses);
  }
  expect(await introspected(h, token)).toEqual({ active: false });
  expect(await introspected(h, token, from)).toEqual({ active: false });
});

test('to revoke a token by its value is no use of it, and needs none to be left', async () => {
  const { h, token, tokenId } = await open([v4('10.0.0.0', 8)], 1);
  const revoke = () => post(h, 'revoke', { token }, basic(h.demo.oauthClient));
  expect((await revoke()).headers.get('revocation-id')).not.toBeNull();
  expect(await usesOf(h, tokenId)).toBe(0);
  expect((await h.row(tokenId)).revoked_at_ms).not.toBeNull();
});
