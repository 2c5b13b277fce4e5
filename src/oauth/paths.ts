/** Where OAuth clients find what they ask for. */
export const oauthPaths = {
  token: '/oauth/token',
  introspection: '/oauth/introspect',
  revocation: '/oauth/revoke',
  keys: '/.well-known/jwks.json',
  metadata: '/.well-known/oauth-authorization-server',
} as const;
