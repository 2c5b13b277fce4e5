import type { TypeSpec } from './types.ts';

/** What owns credentials, and what lies beside them: shown, but not yet revoked by a mutation. */
export const owners: readonly TypeSpec[] = [
  {
    kind: 'organization',
    type: 'Organization',
    description: 'A tenant.',
    read: 'organization:admin',
    lists: [],
  },
  {
    kind: 'identity',
    type: 'Identity',
    description: 'A machine identity.',
    read: 'identity:read',
    lists: [{ on: 'Me', field: 'identities' }],
  },
  {
    kind: 'token-auth',
    type: 'TokenAuth',
    description: 'Token Auth of a machine identity: its access tokens are made on request.',
    read: 'identity:read',
    lists: [{ on: 'Identity', field: 'tokenAuths' }],
  },
  {
    kind: 'application',
    type: 'Application',
    description: 'An application that is called with API keys.',
    read: 'application:read',
    lists: [{ on: 'Me', field: 'applications' }],
  },
  {
    kind: 'service-account',
    type: 'ServiceAccount',
    description: 'An account for programs.',
    read: 'service-account:read',
    lists: [{ on: 'Me', field: 'serviceAccounts' }],
  },
  {
    kind: 'project',
    type: 'Project',
    description: 'A project of an API gateway.',
    read: 'project:read',
    lists: [{ on: 'Me', field: 'projects' }],
  },
  {
    kind: 'gateway-credential',
    type: 'GatewayCredential',
    description: 'A credential with which an API gateway knows its clients.',
    read: 'project:read',
    lists: [{ on: 'Project', field: 'credentials' }],
  },
  {
    kind: 'jwk',
    type: 'Jwk',
    description: 'A JSON Web Key of a project (RFC 7517).',
    read: 'project:read',
    lists: [{ on: 'Project', field: 'jwks' }],
  },
  {
    kind: 'jwk-encryption',
    type: 'JwkEncryption',
    description: 'The assignment of a JWK to a gateway credential for decryption and encryption.',
    read: 'project:read',
    lists: [{ on: 'GatewayCredential', field: 'jwkEncryptions' }],
  },
];
