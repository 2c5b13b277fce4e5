import type { Revocable } from '../db/tables.ts';
import {
  type Asked,
  byId,
  type Creation,
  each,
  joined,
  names,
  ownerless,
  permissions,
} from './creation.ts';
import type { Harness } from './harness.ts';
import { add, addAuthMethod, insert, organizationRow } from './kinds.ts';

async function identity(h: Harness, slug: string): Promise<Revocable> {
  const held = { name: 'deployer', permissions: '["token:revoke"]' };
  return await add(h, await organizationRow(h, slug), 'identity', held);
}

/** An identity that has Token Auth, and a token of it. */
async function withToken(h: Harness, slug: string) {
  const owner = await identity(h, slug);
  const parent = await addAuthMethod(h, owner, 'token-auth');
  return { owner, parent, token: await add(h, parent, 'access-token', { name: 'before' }) };
}

const address = ['identityId'];
const identityId = (input: Record<string, unknown>) => joined(input, 'identityId');
const keys = 'https://issuer.example/jwks';

const method: Creation['wrong'] = [
  ...each('accessTokenTTL', -1, 315_360_001),
  ...each('accessTokenMaxTTL', -1, 315_360_001),
  [{ accessTokenTTL: 60, accessTokenMaxTTL: 59 }, 'accessTokenTTL'],
  ...each('accessTokenPeriod', -1, 315_360_001),
  ...each('accessTokenNumUsesLimit', -1),
  ...each('accessTokenTrustedIps', [], ['10.1'], ['10.0.0.0/33'], ['fe80::1%eth0']),
  [{ accessTokenTrustedIps: ['a\0b'] }, 'accessTokenTrustedIps.0'],
  ...each('identityId', 'a\0b'),
];
const jwtAuth: Creation['wrong'] = [
  ...each('jwksUrl', 'ftp://issuer.example/', 'http://10.0.0.1/', `${keys}/${'x'.repeat(2000)}`),
  ...each('publicKeys', ['no key'], Array(11).fill('no key')),
  ...each('boundIssuer', 'x'.repeat(2001)),
  ...each('boundClaims', [{ claim: '', value: 'x' }], Array(2).fill({ claim: 'a', value: 'b' })),
];

/** What is made of machine identities, and for them. */
export const identityCreations: readonly Creation[] = [
  {
    mutation: 'createIdentity',
    kind: 'identity',
    shows: 'identity',
    needs: ['identity:edit', 'token:revoke'],
    arrange: ownerless({ name: 'deployer', permissions: ['token:revoke'] }),
    target: byId,
    row: { name: 'deployer', permissions: '["token:revoke"]' },
    wrong: [...names('name'), ...permissions],
  },
  {
    mutation: 'attachJwtAuth',
    kind: 'jwt-auth',
    shows: 'jwtAuth',
    needs: ['identity:edit', 'token:revoke'],
    address,
    async arrange(h, slug) {
      const owner = await identity(h, slug);
      return { owner, input: { identityId: owner.id, configurationType: 'JWKS', jwksUrl: keys } };
    },
    target: identityId,
    row: { name: null, permissions: null, expires_at_ms: null },
    wrong: [
      ...method,
      ...jwtAuth,
      ...each('jwksUrl', '', null),
      [{ configurationType: 'STATIC' }, 'publicKeys'],
    ],
    unique: 'AUTH_METHOD_ALREADY_CONFIGURED',
  },
  {
    mutation: 'updateJwtAuth',
    action: 'update',
    kind: 'jwt-auth',
    table: 'jwt_auths',
    shows: 'jwtAuth',
    needs: ['identity:edit', 'token:revoke'],
    address,
    async arrange(h, slug) {
      const owner = await identity(h, slug);
      const { id } = await addAuthMethod(h, owner, 'jwt-auth');
      await insert(h, 'jwt_auths', {
        ...{ id, configuration_type: 'jwks', jwks_url: keys, public_keys: '[]' },
        ...{ bound_issuer: '', bound_audiences: '', bound_claims: '{}', bound_subject: '' },
      });
      return { owner, input: { identityId: owner.id, boundIssuer: 'https://issuer.example' } };
    },
    target: identityId,
    row: { jwks_url: keys, bound_issuer: 'https://issuer.example' },
    wrong: [...method.filter(([changed]) => Object.keys(changed).length === 1), ...jwtAuth],
  },
  {
    mutation: 'attachTokenAuth',
    kind: 'token-auth',
    shows: 'tokenAuth',
    needs: ['identity:edit', 'token:revoke'],
    address,
    async arrange(h, slug) {
      const owner = await identity(h, slug);
      return { owner, input: { identityId: owner.id } };
    },
    target: identityId,
    row: { name: null, permissions: null, expires_at_ms: null },
    wrong: method,
    unique: 'AUTH_METHOD_ALREADY_CONFIGURED',
  },
  {
    mutation: 'createToken',
    kind: 'access-token',
    shows: 'accessToken',
    secret: { field: 'secret', kind: 'access-token' },
    needs: ['token:create', 'token:revoke'],
    address,
    async arrange(h, slug) {
      const { owner, parent } = await withToken(h, slug);
      return { owner, parent, input: { identityId: owner.id, name: 'the token' } };
    },
    target: (input, id) => `${identityId(input)}/${id}`,
    row: { name: 'the token', permissions: null },
    wrong: [...names('name'), ...each('identityId', 'a\0b')],
  },
  {
    mutation: 'renameToken',
    action: 'update',
    kind: 'access-token',
    shows: 'accessToken',
    needs: ['identity:edit'],
    address: ['tokenId'],
    async arrange(h, slug): Promise<Asked> {
      const { parent, token } = await withToken(h, slug);
      return { owner: parent, input: { tokenId: token.id, name: 'after' } };
    },
    target: byId,
    row: { name: 'after' },
    wrong: [...names('name'), ...each('tokenId', 'a\0b')],
  },
];
