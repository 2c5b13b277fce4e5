import { Unauthenticated } from '../src/refusals.ts';
import { ask, type Result } from './creation.ts';
import { creationOf } from './creations.ts';
import type { Harness } from './harness.ts';

/** Credentials from their making to their end, as clients make and end them. */

type Address = Record<string, string>;

/** A credential that is in use. */
export interface Living {
  readonly secret: string;
  /** How each of its kinds is addressed. */
  readonly addresses: Readonly<Record<string, Address>>;
}

/** How a credential is made. */
export interface Life {
  /** The kinds whose revocation ends it: its own first, then upwards. */
  readonly kinds: readonly [string, ...string[]];
  /** The mutation that makes it where there is all that it needs. */
  readonly last: string;
  /** Makes one, below what is given, and below something new where nothing is. */
  make(h: Harness, above?: Living['addresses']): Promise<Living>;
  /** What `last` takes to make one more below the same. */
  again(living: Living, name: string): object;
}

let made = 0;
const unique = (what: string) => `${what}-${++made}`;

/** Asks for something that is made; it must be done. */
export async function make(h: Harness, mutation: string, input: object): Promise<Result> {
  const result = await ask(h, creationOf(mutation), input);
  if (result.code !== undefined) throw new Error(`${mutation}: ${result.code}`);
  return result;
}

/** How what is above is addressed, where it is given; else it is made. */
async function within(
  above: Living['addresses'],
  kind: string,
  makeIt: () => Promise<Address>,
): Promise<Address> {
  return above[kind] ?? (await makeIt());
}

const identityOf = (h: Harness, above: Living['addresses']) =>
  within(above, 'identity', async () => {
    const input = { name: 'robot', permissions: ['identity:read'] };
    return { identityId: (await make(h, 'createIdentity', input)).shown.id };
  });

/** Everything that has a secret of its own, and can be made. */
export const lives: readonly Life[] = [
  {
    kinds: ['api-key', 'application'],
    last: 'createApiKey',
    async make(h, above = {}) {
      const application = await within(above, 'application', async () => {
        const { shown } = await make(h, 'createApplication', { name: unique('application') });
        return { applicationId: shown.id };
      });
      const { shown, secret = '' } = await make(h, this.last, { ...application, name: 'a key' });
      const { applicationId = '' } = application;
      const own = { applicationId, keyId: shown.id };
      return {
        secret,
        addresses: { 'api-key': own, application },
      };
    },
    again: ({ addresses }, name) => ({ ...addresses.application, name }),
  },
  {
    kinds: ['service-account-token', 'service-account'],
    last: 'createServiceAccountToken',
    async make(h, above = {}) {
      const account = await within(above, 'service-account', async () => {
        const slug = unique('account');
        await make(h, 'createServiceAccount', { name: 'an account', slug });
        return { serviceAccountSlug: slug };
      });
      const tokenSlug = unique('token');
      const input = { ...account, name: 'a token', slug: tokenSlug, scopes: ['read:tokens'] };
      const { secret = '' } = await make(h, this.last, input);
      const { serviceAccountSlug = '' } = account;
      return {
        secret,
        addresses: {
          'service-account-token': { serviceAccountSlug, tokenSlug },
          'service-account': account,
        },
      };
    },
    again: ({ addresses }, name) => ({
      ...addresses['service-account'],
      ...{ name, slug: name, scopes: [] },
    }),
  },
  {
    kinds: ['personal-access-token'],
    last: 'createPersonalAccessToken',
    async make(h) {
      const input = { name: 'a token', permissions: ['identity:read'] };
      const { shown, secret = '' } = await make(h, this.last, input);
      return {
        secret,
        addresses: { 'personal-access-token': { personalAccessTokenId: shown.id } },
      };
    },
    again: (_living, name) => ({ name, permissions: ['identity:read'] }),
  },
  {
    kinds: ['oauth-client'],
    last: 'createOauthClient',
    async make(h) {
      const input = { name: 'a client', permissions: ['credential:introspect'] };
      const { shown, secret = '' } = await make(h, this.last, input);
      return { secret, addresses: { 'oauth-client': { clientId: shown.id } } };
    },
    again: (_living, name) => ({ name, permissions: ['credential:introspect'] }),
  },
  {
    kinds: ['enforcement-point'],
    last: 'createEnforcementPoint',
    async make(h) {
      const { shown, secret = '' } = await make(h, this.last, { name: unique('point') });
      return { secret, addresses: { 'enforcement-point': { enforcementPointId: shown.id } } };
    },
    again: (_living, name) => ({ name }),
  },
  {
    kinds: ['access-token', 'token-auth', 'identity'],
    last: 'createToken',
    async make(h, above = {}) {
      const identity = await identityOf(h, above);
      const method = await within(above, 'token-auth', async () => {
        await make(h, 'attachTokenAuth', identity);
        return identity;
      });
      const { shown, secret = '' } = await make(h, this.last, { ...identity, name: 'a token' });
      return {
        secret,
        addresses: { 'access-token': { tokenId: shown.id }, 'token-auth': method, identity },
      };
    },
    again: ({ addresses }, name) => ({ ...addresses.identity, name }),
  },
];

/** `good`, or why a secret is refused: what the one verifier says. */
export async function verdict(h: Harness, secret: string): Promise<string> {
  const verified = await h.running.gateway.verify(secret, { use: false });
  return verified instanceof Unauthenticated ? verified.reason : 'good';
}
