import {
  byId,
  type Creation,
  each,
  ends,
  joined,
  names,
  ownerless,
  pasted,
  permissions,
  slugs,
} from './creation.ts';
import { identityCreations } from './identity-creations.ts';
import { ISSUER } from './issuers.ts';
import { add, organizationRow } from './kinds.ts';
import { projectCreations } from './project-creations.ts';
import { targetCreations } from './target-creations.ts';

/** The beginning of a JWT. */
const pastedJwt = `${btoa('{"alg":"ES256"}')}.${btoa('{}')}.x`;

/** Each mutation that revokes none of our rows. One without a line here fails the test of the schema. */
export const creations: readonly Creation[] = [
  {
    mutation: 'createOrganization',
    kind: 'organization',
    shows: 'organization',
    secret: { field: 'personalAccessToken', kind: 'personal-access-token' },
    needs: ['organization:create'],
    arrange: ownerless({ slug: 'initech' }),
    target: (input) => joined(input, 'slug'),
    row: { parent_id: null, slug: 'initech', name: 'initech' },
    wrong: slugs('slug'),
    unique: 'NAME_TAKEN',
  },
  {
    mutation: 'revokeTrustedTokens',
    action: 'revoke',
    kind: 'trusted-token',
    table: 'cut_offs',
    shows: 'revocation',
    needs: ['trusted-token:revoke'],
    arrange: ownerless({ issuer: ISSUER, subject: 'ada', issuedBefore: '2020-01-01T00:00:00Z' }),
    target: (input) => joined(input, 'issuer', 'subject').replace('/ada', '/subject/ada'),
    row: { issuer: ISSUER, scope: 'subject', value: 'ada', before_ms: Date.UTC(2020, 0) },
    wrong: [
      ...each('issuer', 'https://stranger.example', 'a\0b'),
      [{ tokenId: 'x', issuedBefore: null }, 'subject'],
      [{ subject: null, tokenId: 'x' }, 'issuedBefore'],
      ...each('issuedBefore', '2999-01-01T00:00:00Z'),
      ...each('subject', '', 'a\nb', 'x'.repeat(1001), pasted),
      [{ subject: null, issuedBefore: null, tokenId: pastedJwt }, 'tokenId'],
      [{ subject: null, keyId: pasted }, 'keyId'],
      ...each('comment', pasted, 'x'.repeat(1001)),
    ],
  },
  {
    mutation: 'createPersonalAccessToken',
    kind: 'personal-access-token',
    shows: 'personalAccessToken',
    secret: { field: 'secret', kind: 'personal-access-token' },
    needs: ['personal-access-token:create', 'token:revoke'],
    arrange: ownerless({
      name: 'ci',
      permissions: ['token:revoke'],
      expiresAt: '2999-01-01T00:00:00Z',
    }),
    target: byId,
    row: { name: 'ci', permissions: '["token:revoke"]', expires_at_ms: Date.UTC(2999, 0) },
    wrong: [...names('name'), ...permissions, ...each('permissions', []), ...ends],
  },
  {
    mutation: 'createOauthClient',
    kind: 'oauth-client',
    shows: 'oauthClient',
    secret: { field: 'clientSecret', kind: 'oauth-client' },
    needs: ['oauth-client:create', 'token:revoke'],
    arrange: ownerless({ name: 'scanner', permissions: ['token:revoke'] }),
    target: byId,
    row: { name: 'scanner', permissions: '["token:revoke"]', expires_at_ms: null },
    wrong: [
      ...names('name'),
      ...permissions,
      ...each('permissions', []),
      ...each('publicKeys', [], ['{}'], ['{"kty":"oct","k":"AAAA"}'], Array(11).fill('{}')),
    ],
  },
  {
    mutation: 'createEnforcementPoint',
    kind: 'enforcement-point',
    shows: 'enforcementPoint',
    secret: { field: 'secret', kind: 'enforcement-point' },
    needs: ['target:manage', 'credential:introspect'],
    arrange: ownerless({ name: 'edge' }),
    target: byId,
    row: { name: 'edge', permissions: '["credential:introspect"]', expires_at_ms: null },
    wrong: names('name'),
    unique: 'NAME_TAKEN',
  },
  ...identityCreations,
  {
    mutation: 'createApplication',
    kind: 'application',
    shows: 'application',
    needs: ['application:edit'],
    arrange: ownerless({ name: 'shop' }),
    target: byId,
    row: { name: 'shop' },
    wrong: names('name'),
  },
  {
    mutation: 'createApiKey',
    kind: 'api-key',
    shows: 'apiKey',
    secret: { field: 'secret', kind: 'api-key' },
    needs: ['api-key:create'],
    address: ['applicationId'],
    async arrange(h, slug) {
      const owner = await add(h, await organizationRow(h, slug), 'application');
      return { owner, input: { applicationId: owner.id, name: 'the key' } };
    },
    target: (input, id) => `${joined(input, 'applicationId')}/${id}`,
    row: { name: 'the key', expires_at_ms: null },
    wrong: [...names('name'), ...ends, ...each('applicationId', 'a\0b')],
  },
  {
    mutation: 'createServiceAccount',
    kind: 'service-account',
    shows: 'serviceAccount',
    needs: ['service-account:edit'],
    arrange: ownerless({ name: 'Ünder  Test!' }),
    target: () => 'u-nder-test',
    row: { name: 'Ünder  Test!', slug: 'u-nder-test' },
    wrong: [...names('name').slice(1), ...slugs('slug'), [{ name: '日本' }, 'slug']],
    unique: 'NAME_TAKEN',
  },
  {
    mutation: 'createServiceAccountToken',
    kind: 'service-account-token',
    shows: 'serviceAccountToken',
    secret: { field: 'secret', kind: 'service-account-token' },
    needs: [
      ...['service-account-token:create', 'service-account:read'],
      'service-account-token:revoke',
    ],
    address: ['serviceAccountSlug'],
    async arrange(h, slug) {
      const owner = await add(h, await organizationRow(h, slug), 'service-account', {
        slug: 'new',
      });
      const scopes = ['write:tokens', 'read:tokens'];
      return { owner, input: { serviceAccountSlug: 'new', name: 'CI', slug: 'ci-1', scopes } };
    },
    target: (input) => joined(input, 'serviceAccountSlug', 'slug'),
    row: { name: 'CI', slug: 'ci-1', permissions: '["write:tokens","read:tokens"]' },
    wrong: [
      ...names('name'),
      ...slugs('slug'),
      ...each('scopes', ['write'], ['organization:admin'], ['write:tokens@a'], ['']),
      ...ends,
    ],
    unique: 'NAME_TAKEN',
  },
  ...projectCreations,
  ...targetCreations,
];

/** The case of a mutation. */
export function creationOf(mutation: string): Creation {
  const creation = creations.find((each) => each.mutation === mutation);
  if (creation === undefined) throw new Error(`test/creations.ts has no ${mutation}`);
  return creation;
}
