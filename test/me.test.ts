import { describe, expect, test } from 'vitest';
import { hashSecret, newSecret } from '../src/secrets.ts';
import { type Harness, openGateway } from './harness.ts';
import { add, organizationRow } from './kinds.ts';

/** What a caller sees, and makes, in its own organization. */

type Connection = {
  edges: { cursor: string; node: { id: string } }[];
  pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; endCursor: string };
};

const pages = `query ($first: Int, $last: Int, $after: String, $before: String) { me {
  list: identities(first: $first, last: $last, after: $after, before: $before) {
    edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage endCursor }
  }
} }`;

async function page(h: Harness, variables: object): Promise<Connection> {
  const { data, errors } = await h.graphql<{ me: { list: Connection } }>(
    pages,
    { ...variables },
    h.demo.callers.admin,
  );
  expect(errors).toBeUndefined();
  return data.me.list;
}

const ids = ({ edges }: Connection) => edges.map(({ node }) => node.id);

describe('lists', () => {
  test('can be walked from either end, newest first, and miss nothing', async () => {
    const h = await openGateway();
    const all = (await h.rows())
      .filter(({ kind }) => kind === 'identity')
      .map(({ id }) => id)
      .toReversed();

    const forward: string[] = [];
    let after: string | undefined;
    for (let more = true; more; ) {
      const next = await page(h, { first: 2, after });
      forward.push(...ids(next));
      after = next.pageInfo.endCursor;
      more = next.pageInfo.hasNextPage;
    }
    expect(forward).toEqual(all);
    expect(ids(await page(h, { last: 3 }))).toEqual(all.slice(-3));
    expect(ids(await page(h, { last: 2, before: all[4] }))).toEqual(all.slice(2, 4));
  });

  test('have 20 items unless said, and 100 at the most', async () => {
    const h = await openGateway({ count: 60 });
    expect((await page(h, {})).edges).toHaveLength(20);
    const most = await page(h, { first: 5000 });
    expect([most.edges.length, most.pageInfo.hasNextPage]).toEqual([100, true]);
  });

  test.each([{ after: 'nonsense' }, { before: 'a\0b' }, { first: -1 }])(
    'tell a client what is wrong with %j',
    async (variables) => {
      const h = await openGateway();
      const { errors } = await h.graphql(pages, variables, h.demo.callers.admin);
      expect(errors).toHaveLength(1);
      expect(errors?.[0]?.message).not.toContain('unexpected');
    },
  );
});

describe('me', () => {
  test('is null for whoever is not authenticated', async () => {
    const h = await openGateway();
    for (const token of [undefined, 'nonsense', h.demo.callers.expired]) {
      expect((await h.graphql('{ me { name } }', {}, token)).data).toEqual({ me: null });
    }
  });

  test('shows a node to its own organization, and there to those who may see it', async () => {
    const h = await openGateway();
    const ask = async (id: string | undefined, token: string) =>
      (
        await h.graphql<{ me: { node: object | null } }>(
          'query ($id: ID!) { me { node(id: $id) { __typename id } } }',
          { id },
          token,
        )
      ).data.me.node;
    const { admin, viewer, outsider } = h.demo.callers;
    const identity = h.demo.jwtAuth[0]?.identityId;
    const application = h.demo.apiKey[0]?.applicationId;
    expect(await ask(identity, admin)).toEqual({ __typename: 'Identity', id: identity });
    expect(await ask(identity, viewer)).toEqual({ __typename: 'Identity', id: identity });
    expect(await ask(application, viewer)).toBeNull();
    expect(await ask(identity, outsider)).toBeNull();
    expect(await ask('nobody', admin)).toBeNull();
  });

  test('has null for each list that the caller may not see', async () => {
    const h = await openGateway();
    const { data } = await h.graphql<{ me: Record<string, object | null> }>(
      `{ me {
        identities { edges { cursor } } accessTokens { edges { cursor } }
        applications { edges { cursor } } serviceAccounts { edges { cursor } }
        projects { edges { cursor } } personalAccessTokens { edges { cursor } }
        oauthClients { edges { cursor } }
        ledger { edges { cursor } } revocations { edges { cursor } }
      } }`,
      {},
      h.demo.callers.viewer,
    );
    const seen = Object.keys(data.me).filter((field) => data.me[field] !== null);
    expect(seen).toEqual(['identities', 'accessTokens']);
  });
});

const createToken = `mutation ($input: CreatePersonalAccessTokenInput!) {
  result: createPersonalAccessToken(input: $input) {
    __typename
    ... on CreatePersonalAccessTokenSuccess { secret personalAccessToken { id name expiresAt } }
    ... on PermissionDeniedError { missingPermissions }
    ... on InvalidInputError { issues { path message } }
  }
}`;

interface Made {
  result: Record<string, unknown> & { __typename: string; secret: string };
}

describe('personal access tokens', () => {
  test('are made, work, and are listed without their secret', async () => {
    const h = await openGateway();
    const input = {
      name: 'ci',
      permissions: ['api-key:revoke'],
      expiresAt: '2030-01-01T00:00:00Z',
    };
    const { result } = (await h.graphql<Made>(createToken, { input }, h.demo.callers.admin)).data;
    expect(result.__typename).toBe('CreatePersonalAccessTokenSuccess');
    expect(result.secret).toMatch(/^rgw_pat_[\w-]{43}$/);
    const { data } = await h.graphql('{ me { name permissions } }', {}, result.secret);
    expect(data).toEqual({ me: { name: 'ci', permissions: ['api-key:revoke'] } });
    expect(JSON.stringify(await h.rows())).not.toContain(result.secret);
    expect(await h.ledger()).toEqual([
      expect.objectContaining({ action: 'create', kind: 'personal-access-token', outcome: 'done' }),
    ]);
  });

  test('never have more permissions than the caller, who needs one to make them', async () => {
    const h = await openGateway();
    const acme = await organizationRow(h, 'acme');
    const maker = await caller(h, acme.id, ['personal-access-token:create', 'IDENTITY+MANAGE@a']);
    for (const [permissions, missing] of [
      [['IDENTITY+MANAGE@a'], undefined],
      [['IDENTITY+MANAGE'], ['IDENTITY+MANAGE']],
      [['IDENTITY+MANAGE@b'], ['IDENTITY+MANAGE@b']],
      [['organization:admin'], ['organization:admin']],
      [['IDENTITY+MANAGE@a', 'token:revoke'], ['token:revoke']],
    ]) {
      const input = { name: 'x', permissions };
      const { result } = (await h.graphql<Made>(createToken, { input }, maker)).data;
      expect(result.missingPermissions).toEqual(missing);
    }
    const input = { name: 'x', permissions: ['identity:read'] };
    const { result } = (await h.graphql<Made>(createToken, { input }, h.demo.callers.viewer)).data;
    expect(result.missingPermissions).toEqual(['personal-access-token:create']);
  });

  test.each([
    [{ permissions: ['everything'] }, 'permissions'],
    [{ permissions: [] }, 'permissions'],
    [{ name: '' }, 'name'],
    [{ name: 'x'.repeat(201) }, 'name'],
    [{ expiresAt: '2020-01-01T00:00:00Z' }, 'expiresAt'],
  ])('are refused for %j', async (wrong, path) => {
    const h = await openGateway();
    const input = { name: 'x', permissions: ['ledger:read'], ...wrong };
    const { result } = (await h.graphql<Made>(createToken, { input }, h.demo.callers.admin)).data;
    expect(result.issues).toEqual([{ path, message: expect.any(String) }]);
    expect(await h.ledger()).toEqual([]);
  });
});

/** A personal access token with these permissions. */
async function caller(h: Harness, organizationId: string, permissions: string[]): Promise<string> {
  const secret = newSecret('personal-access-token');
  await add(h, await h.row(organizationId), 'personal-access-token', {
    secret_hash: hashSecret(secret),
    permissions: JSON.stringify(permissions),
  });
  return secret;
}

const createOrganization = `mutation ($slug: String!) {
  result: createOrganization(input: { slug: $slug }) {
    __typename
    ... on CreateOrganizationSuccess { organization { id slug } personalAccessToken }
    ... on InvalidInputError { issues { path } }
  }
}`;

describe('organizations', () => {
  test('are made with a token for their first administrator, who sees nothing else', async () => {
    const h = await openGateway();
    const ask = async (slug: string, token: string) =>
      (await h.graphql<Made>(createOrganization, { slug }, token)).data.result;
    const made = await ask('initech', h.demo.callers.admin);
    const { data } = await h.graphql<{ me: object }>(
      '{ me { organization permissions identities { edges { cursor } } } }',
      {},
      String(made.personalAccessToken),
    );
    expect(data.me).toEqual({
      organization: 'initech',
      permissions: ['organization:admin'],
      identities: { edges: [] },
    });
    expect((await ask('initech', h.demo.callers.outsider)).__typename).toBe('NameTakenError');
    expect((await ask('other', h.demo.callers.viewer)).__typename).toBe('PermissionDeniedError');
    for (const slug of ['', 'a', 'A B', '-a', 'a-', 'x'.repeat(101), 'ä'.repeat(3)]) {
      expect((await ask(slug, h.demo.callers.admin)).issues).toEqual([{ path: 'slug' }]);
    }
  });
});
