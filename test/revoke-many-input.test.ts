import { describe, expect, test } from 'vitest';
import { credentials } from '../src/credentials/kinds.ts';
import { ID_CHARS_MAX, IDS_MAX } from '../src/credentials/revoke-many.ts';
import { kindValue } from '../src/graphql/types.ts';
import { hashSecret } from '../src/secrets.ts';
import { create, makeCredential, makeJwk, names } from './assigned.ts';
import { tokenWith } from './callers.ts';
import { pasted } from './creation.ts';
import { type Harness, openGateway } from './harness.ts';
import { addTokens, codes, revokeMany } from './many.ts';

/** What one call can ask for, and what it cannot. */

const kind = 'PERSONAL_ACCESS_TOKEN';
const ids = ['x'];
const count = (length: number, id = 'x') => Array.from({ length }, () => id);

test.each<[string, object, string]>([
  ['no id', { ids: [] }, 'ids'],
  ['too many ids', { ids: count(IDS_MAX + 1) }, 'ids'],
  ['as many ids as a body can hold', { ids: count(250_000, '') }, 'ids'],
  ['an id that is too long', { ids: [...ids, 'x'.repeat(ID_CHARS_MAX + 1)] }, 'ids'],
  ['an id with a NUL', { ids: [...ids, 'a\0b'] }, 'ids.1'],
  ['an id that is no text', { ids: [...ids, '\ud800'] }, 'ids.1'],
  ['a comment with a secret', { comment: pasted }, 'comment'],
  ['a comment that is too long', { comment: 'x'.repeat(1001) }, 'comment'],
  ...['ORGANIZATION', 'PROJECT', 'ENVIRONMENT', 'WEBHOOK', 'TRUSTED_TOKEN', 'UNKNOWN'].map(
    (other): [string, object, string] => [other, { kind: other }, 'kind'],
  ),
])('%s is refused, and nothing is attempted', async (_case, changed, path) => {
  const h = await openGateway();
  const result = await revokeMany(h, { kind, ids, ...changed });
  expect(result).toMatchObject({ code: 'INVALID_INPUT', issues: [{ path }] });
  expect(await h.ledger()).toEqual([]);
});

test('each kind that has a mutation is one of those that a wrong one is told of', async () => {
  const h = await openGateway();
  const { issues = [] } = await revokeMany(h, { kind: 'PROJECT', ids });
  const told = issues[0]?.message.replace('Must be one of ', '').split(', ');
  expect(told).toEqual(credentials.map(({ graph }) => kindValue(graph.kind)));
});

test('what can be no id is not found, like any other, and what looks like a secret is not kept', async () => {
  const h = await openGateway();
  const odd = ['', '/', 'a/b/c', pasted, 'x'.repeat(ID_CHARS_MAX)];
  expect(codes(await revokeMany(h, { kind, ids: odd }))).toEqual(odd.map(() => 'NOT_FOUND'));
  expect(codes(await revokeMany(h, { kind: 'API_KEY', ids: ['no-uuid/no-uuid'] }))).toEqual([
    'NOT_FOUND',
  ]);
  expect(JSON.stringify(await h.ledger())).not.toContain(pasted);
});

test('a caller who is not known is told so, and nothing is attempted', async () => {
  const h = await openGateway();
  const result = await revokeMany(h, { kind, ids }, h.demo.callers.expired);
  expect(result).toMatchObject({ __typename: 'UnauthenticatedError', code: 'UNAUTHENTICATED' });
  expect(await h.ledger()).toEqual([]);
});

test('a slug that is written like the id of another one is that id', async () => {
  const h = await openGateway();
  const plain = await create(h, 'createServiceAccount', { name: 'one', slug: 'one' });
  const slug = plain.shown.id;
  const other = await create(h, 'createServiceAccount', { name: 'two', slug });
  const asked = { kind: 'SERVICE_ACCOUNT', ids: [slug] };
  expect(codes(await revokeMany(h, asked))).toEqual(['DONE']);
  expect((await h.row(slug)).revoked_at_ms).not.toBeNull();
  expect((await h.row(other.shown.id)).revoked_at_ms).toBeNull();
});

test('a JWK that another has taken the place of is revoked already; its address is the other', async () => {
  const h = await openGateway();
  await makeCredential(h);
  const second = { ...names, jwkName: 'second' };
  for (const each of [names, second]) await makeJwk(h, each);
  const before = await create(h, 'assignJwkValidation', names);
  const after = await create(h, 'assignJwkValidation', second);
  const address = `${names.projectName}/${names.username}`;
  const asked = { kind: 'JWK_VALIDATION', ids: [before.shown.id, address, after.shown.id] };
  expect(codes(await revokeMany(h, asked))).toEqual(['ALREADY_REVOKED', 'DONE', 'ALREADY_REVOKED']);
});

test('an enforcement point is removed from the targets with its revocation', async () => {
  const h = await openGateway();
  const { shown } = await create(h, 'createEnforcementPoint', { name: 'edge' });
  const asked = { kind: 'ENFORCEMENT_POINT', ids: [shown.id] };
  expect(codes(await revokeMany(h, asked))).toEqual(['DONE']);
  const target = await h.running.database.reader
    .selectFrom('targets')
    .select('removed_at_ms')
    .where('id', '=', shown.id)
    .executeTakeFirstOrThrow();
  expect(target.removed_at_ms).toBe((await h.row(shown.id)).revoked_at_ms);
});

describe('a caller among the ids', () => {
  const rowOf = async (h: Harness, token: string) =>
    (await h.rows()).find(({ secret_hash }) => secret_hash === hashSecret(token))?.id ?? '';

  test('is the last that is revoked, and all others are refused', async () => {
    const h = await openGateway();
    const [before = '', ...after] = await addTokens(h.running, 4);
    const token = await tokenWith(h, ['personal-access-token:revoke']);
    const given = [before, await rowOf(h, token), ...after];
    const result = await revokeMany(h, { kind, ids: given }, token);
    expect(codes(result)).toEqual(['DONE', 'DONE', ...after.map(() => 'UNAUTHENTICATED')]);
    expect([result.revoked, result.refused]).toEqual([2, 3]);
    expect((await h.ledger()).map(({ target_id }) => target_id)).toEqual(given.slice(0, 2));
    for (const id of after) expect((await h.row(id)).revoked_at_ms).toBeNull();
    const again = await revokeMany(h, { kind, ids: after }, token);
    expect(again.code).toBe('UNAUTHENTICATED');
  });

  test('is lost with what it belongs to as well', async () => {
    const h = await openGateway();
    const { serviceAccountSlug = '' } = h.demo.serviceAccountToken[0] ?? {};
    const { serviceAccountSlug: other = '' } = h.demo.serviceAccountToken[1] ?? {};
    const created = await create(h, 'createServiceAccountToken', {
      ...{ serviceAccountSlug, name: 'boss', slug: 'boss', scopes: ['write:tokens'] },
    });
    await h.running.gateway.writes.run(async (tx) => {
      const permissions = '["service-account:revoke"]';
      const row = tx.updateTable('revocables').set({ permissions });
      await row.where('id', '=', created.shown.id).execute();
    });
    const asked = { kind: 'SERVICE_ACCOUNT', ids: [serviceAccountSlug, other] };
    const result = await revokeMany(h, asked, created.secret);
    expect(codes(result)).toEqual(['DONE', 'UNAUTHENTICATED']);
  });
});
