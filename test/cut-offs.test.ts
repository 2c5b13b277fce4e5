import { describe, expect, test } from 'vitest';
import type { CutOffScope } from '../src/cut-offs.ts';
import { Unauthenticated } from '../src/refusals.ts';
import { hashSecret } from '../src/secrets.ts';
import { actorOf, askEveryRoute, revokeKey, standingOf, whoIs } from './callers.ts';
import { FIXED_NOW_MS, type Harness, openGateway } from './harness.ts';
import { ISSUER, type Key, makeKey, sign, trusting } from './issuers.ts';
import { insert, organizationRow } from './kinds.ts';

/** JWTs of a trusted issuer that were cut off: which are refused, from when, and which are not. */

const OTHER = 'https://other.example';
const NOW_S = FIXED_NOW_MS / 1000;
const [key, second, others] = [await makeKey(), await makeKey('key-2'), await makeKey('key-1')];
const { trustedIssuers } = trusting(
  { keys: [key.jwk, second.jwk] },
  { issuer: OTHER, keys: [others.jwk] },
);

const open = () => openGateway({ config: { trustedIssuers }, now: () => FIXED_NOW_MS });

/** A JWT that was issued a second ago, unless it says something else. */
const jwt = (claims: object = {}, by: Key = key, header: object = {}) =>
  sign(by, { iat: NOW_S - 1, exp: NOW_S + 300, jti: 'jwt-1', ...claims }, header);

interface CutOff {
  readonly scope: CutOffScope;
  readonly value?: string;
  readonly beforeMs?: number | null;
  readonly organization?: string;
}

async function cutOff(h: Harness, { scope, value = '', ...more }: CutOff) {
  const { beforeMs = null, organization = 'acme' } = more;
  await insert(h, 'cut_offs', {
    id: h.running.gateway.newId(),
    organization_id: (await organizationRow(h, organization)).id,
    ...{ issuer: ISSUER, scope, value, before_ms: beforeMs },
  });
}

/** What the one verifier says, and that every surface says the same. */
async function standing(h: Harness, token: string): Promise<string> {
  const said = await standingOf(h, token);
  const verified = await h.running.gateway.verify(token, { use: false });
  expect(verified instanceof Unauthenticated ? verified.reason : 'good').toBe(said);
  expect((await whoIs(h, token)) === null).toBe(said !== 'good');
  for (const { status } of await askEveryRoute(h, token)) {
    expect(status === 401).toBe(said !== 'good');
  }
  return said;
}

describe('a JWT that is cut off', () => {
  const subject = { iss: OTHER };

  test.each<[string, CutOff, hit: object, misses: [string, object, Key?][]]>([
    [
      'by its id',
      { scope: 'token', value: 'jwt-1' },
      {},
      [
        ['another id', { jti: 'jwt-2' }],
        ['the same id of another issuer', subject, others],
      ],
    ],
    [
      'by its subject',
      { scope: 'subject', value: 'ada' },
      { jti: 'whatever' },
      [
        ['another subject', { sub: 'grace' }],
        ['a longer name', { sub: 'ada2' }],
        ['other letters', { sub: 'Ada' }],
        ['the same subject of another issuer', subject, others],
      ],
    ],
    [
      'by the key that signed it',
      { scope: 'key', value: 'key-1' },
      { sub: 'whoever' },
      [
        ['another key', {}, second],
        ['a key of that name of another issuer', subject, others],
      ],
    ],
    [
      'by its issuer',
      { scope: 'issuer' },
      { sub: 'whoever', jti: 'whatever' },
      [['another issuer', subject, others]],
    ],
  ])('%s is refused, and no other', async (_by, what, hit, misses) => {
    const h = await open();
    const token = await jwt(hit);
    expect(await standing(h, token)).toBe('good');
    await cutOff(h, what);
    expect(await standing(h, token)).toBe('cutOff');
    for (const [name, claims, by] of misses) {
      expect([name, await standing(h, await jwt(claims, by))]).toEqual([name, 'good']);
    }
  });

  test('without an id is known by the hash of what was signed', async () => {
    const h = await open();
    const [token, other] = [await jwt({ jti: undefined }), await jwt({ jti: undefined, x: 1 })];
    const signed = token.slice(0, token.lastIndexOf('.'));
    await cutOff(h, { scope: 'token', value: `sha256:${hashSecret(signed)}` });
    expect(await standing(h, token)).toBe('cutOff');
    expect(await standing(h, other)).toBe('good');
  });

  test('is that in its own organization only', async () => {
    const h = await open();
    await cutOff(h, { scope: 'issuer', organization: 'globex' });
    expect(await standing(h, await jwt())).toBe('good');
    expect(await standing(h, await jwt({ organization: 'globex' }))).toBe('cutOff');
  });

  test('by one field is not by another of the same text', async () => {
    const h = await open();
    for (const scope of ['token', 'key', 'issuer'] as const)
      await cutOff(h, { scope, value: 'ada' });
    expect(await standing(h, await jwt())).toBe('good');
    await cutOff(h, { scope: 'subject', value: 'jwt-1' });
    expect(await standing(h, await jwt())).toBe('good');
  });

  test('and names no key, may be signed with any that was cut off', async () => {
    const { trustedIssuers } = trusting({ keys: [{ ...key.jwk, kid: undefined }] });
    const h = await openGateway({ config: { trustedIssuers }, now: () => FIXED_NOW_MS });
    const token = await jwt({}, key, { kid: undefined });
    expect(await standing(h, token)).toBe('good');
    await cutOff(h, { scope: 'key', value: 'some-key' });
    expect(await standing(h, token)).toBe('cutOff');
  });
});

describe('a moment before which JWTs are cut off', () => {
  const adaBefore = (beforeMs: number): CutOff => ({ scope: 'subject', value: 'ada', beforeMs });

  test.each<[string, unknown, number, string]>([
    ['issued a second before', NOW_S - 1, FIXED_NOW_MS, 'cutOff'],
    ['issued in that second', NOW_S - 1, FIXED_NOW_MS - 1, 'cutOff'],
    ['issued in that second, and the moment is its end', NOW_S - 1, FIXED_NOW_MS - 999, 'cutOff'],
    ['issued in the second that begins then', NOW_S - 1, FIXED_NOW_MS - 1000, 'good'],
    ['issued later', NOW_S, FIXED_NOW_MS - 1000, 'good'],
    ['issued a millisecond before', NOW_S - 0.501, FIXED_NOW_MS - 500, 'cutOff'],
    ['issued in that millisecond', NOW_S - 0.5, FIXED_NOW_MS - 500, 'good'],
    ['issued within the millisecond before', NOW_S - 0.5005, FIXED_NOW_MS - 500, 'cutOff'],
    ['issued later in that second', NOW_S - 0.25, FIXED_NOW_MS - 500, 'good'],
    ['that does not say when', undefined, 1, 'cutOff'],
    ['issued before 1970', -1, 1, 'cutOff'],
  ])('a JWT %s', async (_when, iat, beforeMs, expected) => {
    const h = await open();
    const token = await jwt({ iat });
    expect(await standing(h, token)).toBe('good');
    await cutOff(h, adaBefore(beforeMs));
    expect(await standing(h, token)).toBe(expected);
  });

  test.each([
    ['falling', [0, -2000, -4000]],
    ['rising', [-4000, -2000, 0]],
  ])('the greatest of several counts, %s', async (_order, moments) => {
    const h = await open();
    const token = await jwt({ iat: NOW_S - 1 });
    for (const ms of moments) await cutOff(h, adaBefore(FIXED_NOW_MS + ms));
    expect(await standing(h, token)).toBe('cutOff');
    expect(await standing(h, await jwt({ iat: NOW_S }))).toBe('good');
  });

  test('of several fields the greatest counts, and one without a moment ends all', async () => {
    const h = await open();
    const token = await jwt({ iat: NOW_S });
    await cutOff(h, { scope: 'issuer', beforeMs: FIXED_NOW_MS - 60_000 });
    await cutOff(h, { scope: 'key', value: 'key-1', beforeMs: FIXED_NOW_MS - 1 });
    expect(await standing(h, token)).toBe('good');
    expect(await standing(h, await jwt({ iat: NOW_S - 30 }))).toBe('cutOff');
    expect(await standing(h, await jwt({ iat: NOW_S - 30 }, second))).toBe('good');
    await cutOff(h, { scope: 'subject', value: 'ada' });
    expect(await standing(h, token)).toBe('cutOff');
  });

  test.each([NOW_S + 60, 1e300, `${NOW_S}`, [], null])('is not escaped by iat %j', async (iat) => {
    const h = await open();
    await cutOff(h, adaBefore(FIXED_NOW_MS));
    expect(await standing(h, await jwt({ iat }))).toBe('claims');
  });
});

describe('a caller', () => {
  test('that is cut off after it was known does nothing any more', async () => {
    const h = await open();
    const actor = await actorOf(h, await jwt());
    expect(await revokeKey(h, actor, 0)).toHaveProperty('done');
    await cutOff(h, { scope: 'token', value: 'jwt-1' });
    const [rows, entries] = [await h.rows(), await h.ledger()];
    const refused = { refused: new Unauthenticated('cutOff', true) };
    expect(await revokeKey(h, actor, 1)).toEqual(refused);
    expect([await h.rows(), await h.ledger()]).toEqual([rows, entries]);
  });

  test('that is cut off in the same commit does nothing after it', async () => {
    const h = await open();
    const actor = await actorOf(h, await jwt());
    const row = (await organizationRow(h, 'acme')).id;
    const [before, , after] = await Promise.all([
      revokeKey(h, actor, 0),
      insert(h, 'cut_offs', {
        ...{ id: h.running.gateway.newId(), organization_id: row, issuer: ISSUER },
        ...{ scope: 'subject', value: 'ada', before_ms: FIXED_NOW_MS },
      }),
      revokeKey(h, actor, 1),
    ]);
    expect(before).toHaveProperty('done');
    expect(after).toEqual({ refused: new Unauthenticated('cutOff', true) });
    expect(await h.ledger()).toHaveLength(1);
  });

  test('that cuts itself off has the rest of the same request refused', async () => {
    const h = await open();
    const { data } = await h.graphql(
      `mutation ($issuer: String!) {
        first: revokeTrustedTokens(input: { issuer: $issuer, tokenId: "jwt-1" }) { __typename }
        second: createApplication(input: { name: "late" }) { __typename }
      }`,
      { issuer: ISSUER },
      await jwt(),
    );
    expect(data).toEqual({
      first: { __typename: 'RevokeTrustedTokensSuccess' },
      second: { __typename: 'UnauthenticatedError' },
    });
    expect(await h.ledger()).toHaveLength(1);
  });
});

test('a cut-off stays: nothing changes or deletes it', async () => {
  const h = await open();
  await cutOff(h, { scope: 'issuer', beforeMs: 1 });
  const { writes } = h.running.gateway;
  const change = { before_ms: 0 };
  await expect(
    writes.run(async (tx) => await tx.updateTable('cut_offs').set(change).execute()),
  ).rejects.toThrow('a cut-off stays');
  await expect(writes.run(async (tx) => await tx.deleteFrom('cut_offs').execute())).rejects.toThrow(
    'a cut-off stays',
  );
});
