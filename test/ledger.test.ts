import { expect, test } from 'vitest';
import { engine, past } from './engine.ts';
import { openGateway } from './harness.ts';

async function withAnEntry() {
  const h = await openGateway();
  const { tokenId = '' } = h.demo.accessToken[0] ?? {};
  await h.rest('POST', `/api/v1/auth/token-auth/tokens/${tokenId}/revoke`, h.demo.callers.admin);
  return { h, tokenId };
}

test.each([
  ['changed', "update ledger set actor = 'somebody else'"],
  ['deleted', 'delete from ledger'],
  engine === 'sqlite'
    ? [
        'replaced',
        `insert or replace into ledger select 1, id, organization_id, 0, action, kind, target_id,
         target, outcome, refusal, reason, comment, 'x', actor_id, surface, request_id from ledger`,
      ]
    : ['truncated', 'truncate ledger cascade'],
  [
    'overwritten',
    `insert into ledger select * from ledger where true
     on conflict (seq) do update set actor = 'somebody else'`,
  ],
])('an entry cannot be %s, by whoever holds the gateway', async (_how, statement) => {
  const { h } = await withAnEntry();
  const before = await h.ledger();
  const other = await past(h.folder);
  await expect(other.all(statement)).rejects.toThrow('the ledger is append-only');
  expect(await h.ledger()).toEqual(before);
});

test.each([
  ['revived', 'update revocables set revoked_at_ms = null where revoked_at_ms is not null'],
  ['moved in time', 'update revocables set revoked_at_ms = 1 where revoked_at_ms is not null'],
  ['given other grounds', "update revocables set reason = 'x' where revoked_at_ms is not null"],
  ['blamed on another', "update revocables set revoked_by = 'x' where revoked_at_ms is not null"],
  ['deleted', 'delete from revocables where revoked_at_ms is not null'],
])('what is revoked cannot be %s', async (_how, statement) => {
  const { h } = await withAnEntry();
  const other = await past(h.folder);
  await expect(other.all(statement)).rejects.toThrow('what is revoked stays revoked');
});

test('the change and its entry are one: without the entry nothing is revoked', async () => {
  const h = await openGateway();
  const { tokenId = '' } = h.demo.accessToken[0] ?? {};
  const other = await past(h.folder);
  await other.all('alter table ledger rename column request_id to gone');
  const path = `/api/v1/auth/token-auth/tokens/${tokenId}/revoke`;
  expect((await h.rest('POST', path, h.demo.callers.admin)).status).toBe(500);
  expect((await h.row(tokenId)).revoked_at_ms).toBeNull();

  await other.all('alter table ledger rename column gone to request_id');
  expect((await h.rest('POST', path, h.demo.callers.admin)).status).toBe(200);
  expect(await h.ledger()).toHaveLength(1);
});

test('entries are numbered without gaps, in the order of their commits', async () => {
  const h = await openGateway({ count: 20 });
  await Promise.all(
    h.demo.accessToken.flatMap(({ tokenId }) =>
      [h.demo.callers.admin, h.demo.callers.viewer].map((token) =>
        h.rest('POST', `/api/v1/auth/token-auth/tokens/${tokenId}/revoke`, token),
      ),
    ),
  );
  const entries = await h.ledger();
  expect(entries.map(({ seq }) => seq)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
  const times = entries.map(({ at_ms }) => at_ms);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
});

test('a caller sees the attempts of its own organization only, and with ledger:read only', async () => {
  const h = await openGateway();
  const { tokenId = '' } = h.demo.accessToken[0] ?? {};
  const path = `/api/v1/auth/token-auth/tokens/${tokenId}/revoke`;
  const done = await h.rest('POST', path, h.demo.callers.admin);
  await h.rest('POST', path, h.demo.callers.outsider);
  const query = `query ($id: ID!) { me {
    ledger { edges { node { seq action kind target outcome refusal actor surface requestId } } }
    revocations { edges { node { id target } } }
    revocation(id: $id) { id revocable { id } }
  } }`;
  const ask = async (token: string) =>
    (
      await h.graphql<{ me: Record<string, { edges?: { node: object }[] } | null> }>(
        query,
        { id: done.headers['revocation-id'] },
        token,
      )
    ).data.me;

  const mine = await ask(h.demo.callers.admin);
  expect(mine.ledger?.edges?.map(({ node }) => node)).toEqual([
    {
      seq: 1,
      action: 'REVOKE',
      kind: 'ACCESS_TOKEN',
      target: tokenId,
      outcome: 'DONE',
      refusal: null,
      actor: 'admin',
      surface: 'rest',
      requestId: done.headers['x-request-id'],
    },
  ]);
  expect(mine.revocation).toEqual({
    id: done.headers['revocation-id'],
    revocable: { id: tokenId },
  });

  const foreign = await ask(h.demo.callers.outsider);
  expect(foreign.ledger?.edges).toEqual([
    { node: expect.objectContaining({ seq: 2, outcome: 'REFUSED', refusal: 'NOT_FOUND' }) },
  ]);
  expect(foreign.revocations?.edges).toEqual([]);
  expect(foreign.revocation).toBeNull();

  expect(await ask(h.demo.callers.viewer)).toEqual({
    ledger: null,
    revocations: null,
    revocation: null,
  });
});

test('secrets that callers paste as ids are kept in no row and in no line of the log', async () => {
  const log: string[] = [];
  const h = await openGateway({
    config: { logLevel: 'trace' },
    logTo: { write: (line) => log.push(line) },
  });
  const canary = 'rgw_pat_canary-canary-canary-canary-canary-canary';
  const paths: [string, string][] = [
    ['POST', `/api/v1/auth/token-auth/tokens/${canary}/revoke`],
    ['DELETE', `/api/v1/auth/jwt-auth/identities/${canary}`],
    ['DELETE', `/service-accounts/${canary}/tokens/${canary}`],
    ['DELETE', `/apiops/projects/${canary}/credentials/${canary}/jwk/validation/`],
    ['DELETE', `/apiops/projects/project-001/credentials/${canary}/jwk/validation/`],
  ];
  for (const [method, path] of paths) {
    for (const token of [h.demo.callers.admin, h.demo.callers.viewer]) {
      expect((await h.rest(method, path, token)).status).toBeGreaterThanOrEqual(400);
    }
  }
  expect(await h.ledger()).toHaveLength(10);
  expect(log.length).toBeGreaterThanOrEqual(10);
  const said = JSON.stringify([await h.ledger(), await h.rows(), log]);
  expect(said).not.toContain('canary');
  // The same text has the same fingerprint, so that one leak is recognised in many attempts.
  const [first, second] = await h.ledger();
  expect(first?.target).toBe(second?.target);
});

test('a comment that carries a secret is refused, and nothing is written', async () => {
  const h = await openGateway();
  const { tokenId, token = '' } = h.demo.accessToken[0] ?? {};
  for (const comment of ['leaked: ksh_abcdef', token, 'rgw_key_x', 'x'.repeat(1001), 'a\0b']) {
    const { data } = await h.graphql<{ revokeToken: object }>(
      `mutation ($input: RevokeTokenInput!) { revokeToken(input: $input) {
        ... on InvalidInputError { code issues { path } }
      } }`,
      { input: { tokenId, comment } },
      h.demo.callers.admin,
    );
    expect(data.revokeToken).toEqual({ code: 'INVALID_INPUT', issues: [{ path: 'comment' }] });
  }
  expect(await h.ledger()).toEqual([]);
});
