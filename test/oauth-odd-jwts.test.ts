import { expect, test } from 'vitest';
import { assignedJwt, basic, introspected, post, serveGateway } from './oauth-clients.ts';

/** JWTs that nobody should have made: they are not good, and no fault. */

test.each([{ sub: ['a', 'b'] }, { sub: [] }, { sub: {} }, { sub: 1 }, { sub: 'a\nb' }, {}])(
  'a JWT that says %j is no fault',
  async (claims) => {
    const h = await serveGateway();
    const encoded = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
    const token = `${encoded({ alg: 'ES256', kid: 'x' })}.${encoded(claims)}.AAAA`;
    for (const path of ['introspect', 'revoke'] as const) {
      const { status, text } = await post(h, path, { token }, basic(h.demo.oauthClient));
      expect([status, text]).toEqual([200, path === 'revoke' ? '{}' : '{"active":false}']);
    }
  },
);

test('a JWK and a JWT of different algorithms are no fault', async () => {
  const h = await serveGateway();
  const { token } = await assignedJwt(h);
  const [header = '', ...rest] = token.split('.');
  const said = JSON.parse(Buffer.from(header, 'base64url').toString());
  for (const alg of ['ES384', 'ES512', 'RS256', 'EdDSA', 'PS512', 'HS256', 'none']) {
    const forged = Buffer.from(JSON.stringify({ ...said, alg })).toString('base64url');
    expect(await introspected(h, [forged, ...rest].join('.'))).toEqual({ active: false });
  }
});
