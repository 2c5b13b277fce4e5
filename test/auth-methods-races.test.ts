import { describe, expect, test } from 'vitest';
import {
  createRequestedToken,
  requestToken,
} from '../src/credentials/access-token/create-on-request.ts';
import { LoginRefused } from '../src/credentials/jwt-auth/login-refused.ts';
import { perform } from '../src/operation.ts';
import { actorOf, standingOf } from './callers.ts';
import { type Harness, openGateway } from './harness.ts';
import { addIdentity, ask, expectDone, logIn, openReaching, withJwtAuth } from './identities.ts';
import { makeKey, sign } from './issuers.ts';
import { gatewayJson, newFolder, serve, settingsIn } from './processes.ts';

/** Access tokens that are made while what they belong to is revoked, or the gateway is killed. */

const ATTEMPTS = 50;

/** What came of an attempt: the token, or why there is none. */
type Came = { token: string } | { refused: string };

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Starts attempts one after the other, without waiting for any; the revocation comes amid them. */
async function amid(revoke: () => Promise<void>, attempts: readonly (() => Promise<Came>)[]) {
  const begun: Promise<Came>[] = [];
  let done = 0;
  let revoked: Promise<void> | undefined;
  for (const attempt of attempts) {
    const running = attempt();
    begun.push(running);
    void running.then(() => done++);
    await nextTurn();
    if (done >= attempts.length / 5) revoked ??= revoke();
  }
  const came = await Promise.all(begun);
  await (revoked ?? revoke());
  return { came, late: await Promise.all(attempts.map((attempt) => attempt())) };
}

const tokensIn = (came: readonly Came[]) =>
  came.flatMap((each) => ('token' in each ? [each.token] : []));
const refusalsIn = (came: readonly Came[]) =>
  new Set(came.flatMap((each) => ('refused' in each ? [each.refused] : [])));

async function open() {
  const key = await makeKey();
  const h = await openReaching();
  const identityId = await withJwtAuth(h, key);
  expectDone(await ask(h, 'attachTokenAuth', { identityId }));
  const jwt = await sign(key);
  const login = async (): Promise<Came> => {
    const came = await logIn(h, { identityId, jwt });
    return came instanceof LoginRefused
      ? { refused: `${came.status}` }
      : { token: came.accessToken };
  };
  const create = async (): Promise<Came> => {
    const { secret, code = '' } = await ask(h, 'createToken', { identityId, name: 'x' });
    return secret === undefined ? { refused: code } : { token: secret };
  };
  const both = Array.from({ length: ATTEMPTS }, () => [login, create]).flat();
  const revoke = (mutation: string) => async () =>
    expectDone(await ask(h, mutation, { identityId }));
  return { h, both, revoke };
}

const standingsOf = async (h: Harness, tokens: readonly string[]) =>
  new Set(await Promise.all(tokens.map((token) => standingOf(h, token))));

describe('while tokens are made, and what they belong to is revoked, none stays good', () => {
  test('the identity', async () => {
    const { h, both, revoke } = await open();
    const { came, late } = await amid(revoke('revokeIdentity'), both);
    const tokens = tokensIn(came);
    expect(tokens.length).toBeGreaterThanOrEqual(both.length / 5);
    expect(await standingsOf(h, tokens)).toEqual(new Set(['ownerRevoked']));
    for (const refusal of refusalsIn(came))
      expect(['401', '404', 'OWNER_REVOKED']).toContain(refusal);
    expect(tokensIn(late)).toEqual([]);
    expect(refusalsIn(late)).toEqual(new Set(['401', 'OWNER_REVOKED']));
    await expectKept(h, tokens);
  });

  test.each([
    ['revokeJwtAuth', '404', 0],
    ['revokeTokenAuth', 'TOKEN_AUTH_NOT_CONFIGURED', 1],
  ])('%s: the tokens of the other method stay', async (mutation, refusal, side) => {
    const { h, both, revoke } = await open();
    const { came, late } = await amid(revoke(mutation), both);
    const split = (all: readonly Came[], which: number) => all.filter((_, i) => i % 2 === which);
    const lost = tokensIn(split(came, side));
    const kept = tokensIn(split([...came, ...late], 1 - side));
    expect(lost.length).toBeGreaterThan(0);
    expect(await standingsOf(h, lost)).toEqual(new Set(['methodRevoked']));
    expect(kept).toHaveLength(2 * ATTEMPTS);
    expect(await standingsOf(h, kept)).toEqual(new Set(['good']));
    expect([tokensIn(split(late, side)), refusalsIn(late)]).toEqual([[], new Set([refusal])]);
    for (const each of refusalsIn(came)) expect([refusal, 'OWNER_REVOKED']).toContain(each);
    await expectKept(h, [...lost, ...kept]);
  });

  /** Each token that was given is a row and an entry, and there are no others. */
  async function expectKept(h: Harness, tokens: readonly string[]) {
    const rows = (await h.rows()).filter((row) => row.kind === 'access-token');
    const made = (await h.ledger()).filter(
      ({ kind, outcome }) => kind === 'access-token' && outcome === 'done',
    );
    const ids = new Set(made.map((entry) => entry.target_id));
    expect([made.length, ids.size]).toEqual([tokens.length, tokens.length]);
    expect(rows.filter((row) => ids.has(row.id))).toHaveLength(tokens.length);
  }
});

test.each<[string, string[], string[], string]>([
  ['is removed', ['attach'], ['revoke'], 'TOKEN_AUTH_NOT_CONFIGURED'],
  ['is another', ['attach'], ['revoke', 'attach'], 'OWNER_REVOKED'],
  ['is new', [], ['attach'], 'TOKEN_AUTH_NOT_CONFIGURED'],
])('a token that is signed, and whose Token Auth then %s, is not kept', async (...given) => {
  const [, before, meanwhile, refusal] = given;
  const h = await openGateway();
  const { gateway } = h.running;
  const identityId = await addIdentity(h);
  const change = async (steps: readonly string[]) => {
    for (const step of steps) expectDone(await ask(h, `${step}TokenAuth`, { identityId }));
  };
  await change(before);
  const actor = await actorOf(h, h.demo.callers.admin);
  const { input, secret } = await requestToken(gateway, actor, { identityId, name: 'x' });
  await change(meanwhile);
  const call = { actor, surface: 'rest', requestId: 'req-of-a-test' } as const;
  const performed = await perform(gateway, createRequestedToken, input, call);
  expect(performed).toMatchObject({ refused: { code: refusal } });
  expect((await h.ledger()).at(-1)).toMatchObject({ outcome: 'refused', refusal });
  if (secret !== undefined) expect(await standingOf(h, secret)).toBe('unknown');
});

test('uses that were answered are counted, even by a gateway that is killed', async () => {
  const env = settingsIn(newFolder());
  await gatewayJson(env, 'organization', 'create', 'acme');
  const rights = ['--organization', 'acme', '--permissions', 'organization:admin'];
  const { token: admin } = await gatewayJson<{ token: string }>(env, 'token', ...rights);
  let gateway = await serve(env);
  const over = {
    demo: { callers: { admin } } as Harness['demo'],
    graphql: (async (query: string, variables = {}, token = '') => {
      const response = await fetch(`${gateway.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: JSON.stringify({ query, variables }),
      });
      return { status: response.status, ...((await response.json()) as object) };
    }) as Harness['graphql'],
  };
  const made = await ask(over, 'createIdentity', { name: 'robot' });
  const identityId = made.identity?.id;
  const accessTokenNumUsesLimit = 5;
  expectDone(await ask(over, 'attachTokenAuth', { identityId, accessTokenNumUsesLimit }));
  const { secret } = await ask(over, 'createToken', { identityId, name: 'x' });
  const isKnown = async () => {
    const { data } = await over.graphql<{ me: object | null }>('{ me { name } }', {}, secret);
    return data.me !== null;
  };
  const known: boolean[] = [];
  for (let use = 0; use < 7; use++) {
    known.push(await isKnown());
    if (use % 2 === 0) continue;
    gateway.kill('SIGKILL');
    await gateway.ended;
    gateway = await serve(env);
  }
  expect(known).toEqual([true, true, true, true, true, false, false]);
});
