import { generateKeyPairSync } from 'node:crypto';
import type { Revocable } from '../db/tables.ts';
import { type Asked, type Creation, each, joined, ownerless, pathNames } from './creation.ts';
import type { Harness } from './harness.ts';
import { add, insert, organizationRow } from './kinds.ts';

async function project(h: Harness, slug: string): Promise<Revocable> {
  return await add(h, await organizationRow(h, slug), 'project', { slug: 'new', name: 'new' });
}

async function assignable(h: Harness, slug: string): Promise<Asked> {
  const above = await project(h, slug);
  const owner = await add(h, above, 'gateway-credential', { slug: 'user', name: 'user' });
  const jwk = await add(h, above, 'jwk', { slug: 'key', name: 'key' });
  await insert(h, 'jwks', { id: jwk.id, public_jwk: '{}', kid: '', source: 'pasted' });
  return { owner, input: { projectName: 'new', username: 'user', jwkName: 'key' } };
}

const assignment = (use: 'Validation' | 'Encryption'): Creation => ({
  mutation: `assignJwk${use}`,
  kind: `jwk-${use.toLowerCase()}`,
  shows: `jwk${use}`,
  needs: ['IDENTITY+MANAGE', 'IDENTITY+DEPLOY_UNDEPLOY'],
  address: ['projectName', 'username'],
  arrange: assignable,
  target: (input) => joined(input, 'projectName', 'username'),
  row: { name: 'key', slug: null },
  wrong: [...each('projectName', 'a\0b'), ...each('username', 'a\ud800'), ...each('jwkName', '\0')],
});

const jwkOf = (half: 'privateKey' | 'publicKey', modulusLength: number) => {
  const pair = generateKeyPairSync('rsa', { modulusLength });
  return JSON.stringify(pair[half].export({ format: 'jwk' }));
};
const privateJwk = jwkOf('privateKey', 2048);
/** Without the exponent, which follows from the primes that are left. */
const primes = JSON.stringify({ ...JSON.parse(privateJwk), d: undefined });
const shortJwk = jwkOf('publicKey', 1024);
const publicKeys = (...texts: string[]): Creation['wrong'] =>
  texts.map((publicJwk) => [{ generate: null, publicJwk }, 'publicJwk']);
const urls = (...texts: string[]): Creation['wrong'] =>
  texts.map((url) => [{ generate: null, url }, 'url']);

/** What is made in the projects of API gateways. */
export const projectCreations: readonly Creation[] = [
  {
    mutation: 'createProject',
    kind: 'project',
    shows: 'project',
    needs: ['project:edit'],
    arrange: ownerless({ projectName: 'new' }),
    target: (input) => joined(input, 'projectName'),
    row: { name: 'new', slug: 'new' },
    wrong: pathNames('projectName'),
    unique: 'NAME_TAKEN',
  },
  {
    mutation: 'createEnvironment',
    kind: 'environment',
    table: 'targets',
    shows: 'environment',
    secret: { field: 'secret' },
    needs: ['target:manage'],
    address: ['projectName'],
    async arrange(h, slug) {
      const owner = await project(h, slug);
      return { owner, input: { projectName: 'new', name: 'live', url: 'https://live.example/' } };
    },
    target: (input) => joined(input, 'projectName', 'name'),
    row: { kind: 'environment', name: 'live', url: 'https://live.example/', removed_at_ms: null },
    wrong: [
      ...pathNames('name'),
      ...each('url', '', 'live', 'ftp://live.example/', 'https://a:b@live.example/'),
      ...each('url', 'http://10.0.0.1/', 'http://[::1]/', 'http://169.254.169.254/'),
    ],
    unique: 'NAME_TAKEN',
  },
  {
    mutation: 'createGatewayCredential',
    kind: 'gateway-credential',
    shows: 'gatewayCredential',
    needs: ['IDENTITY+MANAGE'],
    address: ['projectName'],
    async arrange(h, slug) {
      return { owner: await project(h, slug), input: { projectName: 'new', username: 'ada' } };
    },
    target: (input) => joined(input, 'projectName', 'username'),
    row: { name: 'ada', slug: 'ada' },
    wrong: [...pathNames('username'), ...each('projectName', 'a\0b')],
    unique: 'NAME_TAKEN',
  },
  {
    mutation: 'createJwk',
    kind: 'jwk',
    shows: 'jwk',
    secret: { field: 'privateJwk' },
    needs: ['SECRETS+MANAGE'],
    address: ['projectName'],
    async arrange(h, slug) {
      const owner = await project(h, slug);
      return { owner, input: { projectName: 'new', jwkName: 'key', generate: 'EdDSA' } };
    },
    target: (input) => joined(input, 'projectName', 'jwkName'),
    row: { name: 'key', slug: 'key' },
    wrong: [
      ...pathNames('jwkName'),
      ...each('generate', 'HS256', 'none', '', null),
      [{ publicJwk: '{}' }, 'generate'],
      ...publicKeys('', '[]', '{}', '{"kty":"oct","k":"AAAA"}', privateJwk, primes, shortJwk),
      ...urls('', 'file:///etc/passwd', 'http://10.0.0.1/', 'https://a:b@keys.example/'),
    ],
    unique: 'NAME_TAKEN',
  },
  assignment('Validation'),
  assignment('Encryption'),
];
