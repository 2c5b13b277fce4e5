import type { Revocable } from '../db/tables.ts';
import type { Actor } from '../src/actor.ts';
import { apiKey } from '../src/credentials/api-key/kind.ts';
import { type AnyCredential, credentials } from '../src/credentials/kinds.ts';
import { revoke } from '../src/credentials/revoke.ts';
import { perform } from '../src/operation.ts';
import { Refusal } from '../src/refusals.ts';
import { hashSecret, newSecret } from '../src/secrets.ts';
import { signAccessToken } from '../src/tokens.ts';
import type { Answer, Harness } from './harness.ts';
import { add, organizationRow, restPath, unknownInput } from './kinds.ts';

/** A caller that was minted for a test, and may revoke itself. */
export interface Minted {
  readonly token: string;
  readonly row: Revocable;
  /** What the mutation and the route that revoke it take. */
  readonly input: Record<string, string>;
}

/** A kind of caller that this gateway mints. */
export interface Caller {
  readonly name: string;
  readonly kind: string;
  readonly permissions: readonly string[];
  /** The kinds of the rows above it, up to the organization. */
  readonly ancestors: readonly string[];
  mint(h: Harness, more?: Partial<Revocable>): Promise<Minted>;
}

const list = (permissions: readonly string[]) => ({ permissions: JSON.stringify(permissions) });

async function mintJwt(h: Harness, parent: Revocable, more: Partial<Revocable>): Promise<Minted> {
  const { gateway } = h.running;
  const id = gateway.newId();
  const issuedAtMs = gateway.now();
  const token = await signAccessToken(gateway, {
    id,
    subject: 'ada',
    organization: 'acme',
    permissions: [],
    chain: [],
    issuedAtMs,
    expiresAtMs: issuedAtMs + 3_600_000,
  });
  const row = await add(h, parent, 'access-token', { id, secret_hash: hashSecret(token), ...more });
  return { token, row, input: { tokenId: id } };
}

function machineToken(name: string, method: 'token-auth' | 'jwt-auth'): Caller {
  const permissions = ['token:revoke'];
  return {
    name,
    kind: 'access-token',
    permissions,
    ancestors: [method, 'identity', 'organization'],
    async mint(h, more = {}) {
      const organization = await organizationRow(h, 'acme');
      const named = { name: 'ada', ...list(permissions) };
      const identity = await add(h, organization, 'identity', named);
      return mintJwt(h, await add(h, identity, method), more);
    },
  };
}

/** Every kind of caller that this gateway mints. All are called ada. */
export const callers: readonly Caller[] = [
  {
    name: 'a JWT of the gateway',
    kind: 'access-token',
    permissions: ['token:revoke', 'identity:read'],
    ancestors: ['organization'],
    async mint(h, more = {}) {
      const organization = await organizationRow(h, 'acme');
      return mintJwt(h, organization, { name: 'ada', ...list(this.permissions), ...more });
    },
  },
  {
    name: 'a personal access token',
    kind: 'personal-access-token',
    permissions: ['personal-access-token:revoke'],
    ancestors: ['organization'],
    async mint(h, more = {}) {
      const token = newSecret('personal-access-token');
      const row = await add(h, await organizationRow(h, 'acme'), this.kind, {
        name: 'ada',
        secret_hash: hashSecret(token),
        ...list(this.permissions),
        ...more,
      });
      return { token, row, input: { personalAccessTokenId: row.id } };
    },
  },
  machineToken('a machine access token of Token Auth', 'token-auth'),
  machineToken('a machine access token of JWT Auth', 'jwt-auth'),
  {
    name: 'an access token of an OAuth client',
    kind: 'access-token',
    permissions: ['token:revoke', 'oauth-client:read'],
    ancestors: ['oauth-client', 'organization'],
    async mint(h, more = {}) {
      const organization = await organizationRow(h, 'acme');
      const named = { name: 'ada', ...list(this.permissions) };
      return mintJwt(h, await add(h, organization, 'oauth-client', named), more);
    },
  },
  {
    name: 'a service account token with the scope write:tokens',
    kind: 'service-account-token',
    permissions: ['write:tokens'],
    ancestors: ['service-account', 'organization'],
    async mint(h, more = {}) {
      const names = { serviceAccountSlug: 'adas-account', tokenSlug: 'adas-token' };
      const organization = await organizationRow(h, 'acme');
      const slug = names.serviceAccountSlug;
      const account = await add(h, organization, 'service-account', { slug, name: 'an account' });
      const token = newSecret('service-account-token');
      const row = await add(h, account, this.kind, {
        name: 'ada',
        slug: names.tokenSlug,
        secret_hash: hashSecret(token),
        ...list(this.permissions),
        ...more,
      });
      return { token, row, input: names };
    },
  },
];

/** The first kind of caller whose credential is of this kind. */
export function callerOf(kind: string): Caller {
  const caller = callers.find((each) => each.kind === kind);
  if (caller === undefined) throw new Error(`No caller has a ${kind}`);
  return caller;
}

/** The credential of a kind, on its surfaces. */
export function credentialOf(kind: string): AnyCredential {
  const credential = credentials.find(({ graph }) => graph.kind === kind);
  if (credential === undefined) throw new Error(`There is no kind ${kind}`);
  return credential;
}

/** Who the graph takes the bearer of a token for; null: for nobody. */
export async function whoIs(h: Harness, token: string) {
  interface Me {
    name: string;
    organization: string;
    permissions: string[];
  }
  const query = '{ me { name organization permissions } }';
  const { data } = await h.graphql<{ me: Me | null }>(query, {}, token);
  return data.me;
}

/** Why a token is refused; `good` where it is not. */
export async function standingOf(h: Harness, token: string): Promise<string> {
  const known = await h.running.gateway.authenticate(`Bearer ${token}`, undefined);
  return known instanceof Refusal ? known.reason : 'good';
}

/** The actor behind a token that is good. */
export async function actorOf(h: Harness, token: string): Promise<Actor> {
  const actor = await h.running.gateway.authenticate(`Bearer ${token}`, undefined);
  if (actor instanceof Refusal) throw new Error(actor.message);
  return actor;
}

/** Has an actor, once known, revoke an API key of the demo data: past authentication. */
export function revokeKey(h: Harness, actor: Actor, i: number) {
  const { applicationId = '', keyId = '' } = h.demo.apiKey[i] ?? {};
  const call = { actor, surface: 'rest', requestId: 'req-of-a-test' } as const;
  return perform(h.running.gateway, revoke(apiKey), { applicationId, keyId }, call);
}

/** What each vendor's route answers to a token, asked to revoke what is not there. */
export async function askEveryRoute(h: Harness, token: string): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (const credential of credentials) {
    if (credential.rest === undefined) continue;
    const names = Object.fromEntries(Object.keys(credential.graph.input).map((f) => [f, '']));
    const path = restPath(credential, unknownInput(names));
    answers.push(await h.rest(credential.rest.method, path, token));
  }
  return answers;
}

/** Changes rows behind the gateway's back. */
export async function change(h: Harness, id: string, what: Partial<Revocable>): Promise<void> {
  await h.running.gateway.writes.run(async (tx) => {
    await tx.updateTable('revocables').set(what).where('id', '=', id).execute();
  });
}

/** A new personal access token in acme that may do this and nothing else. */
export async function tokenWith(h: Harness, permissions: readonly string[]): Promise<string> {
  const token = newSecret('personal-access-token');
  await add(h, await organizationRow(h, 'acme'), 'personal-access-token', {
    name: 'limited',
    secret_hash: hashSecret(token),
    ...list(permissions),
  });
  return token;
}

/** The row of this kind among the ancestors of a row. */
export async function ancestor(h: Harness, row: Revocable, kind: string): Promise<Revocable> {
  if (row.parent_id === null) throw new Error(`No ${kind} above`);
  const parent = await h.row(row.parent_id);
  return parent.kind === kind ? parent : await ancestor(h, parent, kind);
}
