import { signatureAlgorithms } from '../config.ts';
import type { Gateway } from '../gateway.ts';
import { permissions } from '../permissions.ts';
import { SIGNING_ALGORITHM } from '../tokens.ts';
import { clientAuthMethods } from './client.ts';
import { oauthPaths } from './paths.ts';

/** What a client must know of this gateway (RFC 8414). */
export function metadataOf(publicUrl: string): object {
  const authenticated = (endpoint: 'token' | 'introspection' | 'revocation') => ({
    [`${endpoint}_endpoint`]: publicUrl + oauthPaths[endpoint],
    [`${endpoint}_endpoint_auth_methods_supported`]: clientAuthMethods,
    [`${endpoint}_endpoint_auth_signing_alg_values_supported`]: signatureAlgorithms,
  });
  return {
    issuer: publicUrl,
    jwks_uri: publicUrl + oauthPaths.keys,
    scopes_supported: permissions,
    response_types_supported: [],
    grant_types_supported: ['client_credentials'],
    ...authenticated('token'),
    ...authenticated('introspection'),
    introspection_signing_alg_values_supported: [SIGNING_ALGORITHM],
    ...authenticated('revocation'),
  };
}

/** The public halves of the keys with which this gateway signs (RFC 7517), the newest first. */
export async function keySet({ reader }: Gateway): Promise<object> {
  const rows = await reader
    .selectFrom('signing_keys')
    .select('public_jwk')
    .where('retired_at_ms', 'is', null)
    .orderBy('created_at_ms', 'desc')
    .execute();
  return { keys: rows.map(({ public_jwk }) => JSON.parse(public_jwk) as object) };
}
