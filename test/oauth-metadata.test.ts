import * as oauth from 'oauth4webapi';
import { describe, expect, test } from 'vitest';
import { signatureAlgorithms } from '../src/config.ts';
import { permissions } from '../src/permissions.ts';
import { discover, insecure, type Served, serveGateway } from './oauth-clients.ts';

/** What OAuth clients read of the gateway before they ask anything of it. */

const METADATA = '/.well-known/oauth-authorization-server';

const fetched = async (h: Served, path: string, init: RequestInit = {}) => {
  const response = await fetch(new URL(path, h.url), init);
  return { status: response.status, headers: response.headers, text: await response.text() };
};

describe('metadata', () => {
  const methods = ['client_secret_basic', 'client_secret_post', 'private_key_jwt'];

  test('says where everything is, and what is supported', async () => {
    const h = await serveGateway();
    const { status, headers, text } = await fetched(h, METADATA);
    expect([status, headers.get('content-type')]).toEqual([200, 'application/json']);
    expect(JSON.parse(text)).toEqual({
      issuer: h.url,
      jwks_uri: `${h.url}/.well-known/jwks.json`,
      scopes_supported: permissions,
      response_types_supported: [],
      grant_types_supported: ['client_credentials'],
      token_endpoint: `${h.url}/oauth/token`,
      token_endpoint_auth_methods_supported: methods,
      token_endpoint_auth_signing_alg_values_supported: signatureAlgorithms,
      introspection_endpoint: `${h.url}/oauth/introspect`,
      introspection_endpoint_auth_methods_supported: methods,
      introspection_endpoint_auth_signing_alg_values_supported: signatureAlgorithms,
      introspection_signing_alg_values_supported: ['EdDSA'],
      revocation_endpoint: `${h.url}/oauth/revoke`,
      revocation_endpoint_auth_methods_supported: methods,
      revocation_endpoint_auth_signing_alg_values_supported: signatureAlgorithms,
    });
  });

  test.each(['/gateway', '/a/b:c', '/ä ö', '/100%25'])(
    'of an issuer with the path %s lies where RFC 8414 has it, and nowhere near',
    async (path) => {
      const h = await serveGateway({}, path);
      const issuer = new URL(h.url);
      const response = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure });
      const as = await oauth.processDiscoveryResponse(issuer, response);
      expect(as.token_endpoint).toBe(`${h.url}/oauth/token`);
      expect((await fetched(h, METADATA)).status).toBe(200);
      for (const near of ['/', '/elsewhere', `${issuer.pathname}/`, `${issuer.pathname}x`]) {
        expect([near, (await fetched(h, METADATA + near)).status]).toEqual([near, 404]);
      }
    },
  );

  test.each([METADATA, '/.well-known/jwks.json'])('%s is read, and no more', async (path) => {
    const h = await serveGateway();
    const head = await fetched(h, path, { method: 'HEAD' });
    expect([head.status, head.text]).toEqual([200, '']);
    for (const method of ['POST', 'PUT', 'DELETE']) {
      const { status, headers } = await fetched(h, path, { method });
      expect([status, headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS']);
    }
  });
});

test('discovery leads to keys that are read', async () => {
  const h = await serveGateway();
  const { jwks_uri = '' } = await discover(h);
  expect((await fetched(h, jwks_uri)).status).toBe(200);
});
