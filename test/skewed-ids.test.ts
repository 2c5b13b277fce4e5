import { join } from 'node:path';
import { exportSPKI } from 'jose';
import { expect, onTestFinished, test } from 'vitest';
import { readConfig } from '../src/config.ts';
import { createIds } from '../src/ids.ts';
import { createServer } from '../src/server.ts';
import { newRequestId, start } from '../src/start.ts';
import { assign, names, revokeKind, signAs, standingFor } from './assigned.ts';
import { standingOf } from './callers.ts';
import { databaseIn } from './engine.ts';
import type { Harness } from './harness.ts';
import {
  accessTokenOf,
  addIdentity,
  ask,
  expectDone,
  newToken,
  openReaching,
  refusedLogIn,
} from './identities.ts';
import { makeKey, sign } from './issuers.ts';
import { type Environment, openWithCredential, publicOf, second, tell, told } from './told.ts';

/** Two gateways on one database, whose clocks differ: what is made later may have the lower id. */

const { projectName, username } = names;
const credential = { projectName, username };
const AHEAD_MS = 60_000;

/** Opens another gateway on the database of a harness; its ids are ahead. */
async function openAhead(h: Harness): Promise<Harness> {
  const config = {
    ...readConfig({ DATABASE_URL: databaseIn(h.folder), OUTBOUND_ALLOW: '127.0.0.0/8' }),
    ...{ secretKeyFile: join(h.folder, 'secret.key'), logLevel: 'silent' as const },
  };
  const running = await start(config, { newId: createIds(() => Date.now() + AHEAD_MS) });
  onTestFinished(running.close);
  const app = createServer({ ...config, gateway: running.gateway, newRequestId });
  onTestFinished(() => app.close());
  const graphql = async (query: string, variables = {}, token = '') => {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
    const payload = JSON.stringify({ query, variables });
    const response = await app.inject({ method: 'POST', url: '/graphql', headers, payload });
    return { status: response.statusCode, ...(response.json() as object) };
  };
  return { ...h, running, app, graphql: graphql as Harness['graphql'] };
}

/** The rows of a kind, the least id first, and whether each is live. */
const livesOf = async (h: Harness, kind: string) =>
  (await h.rows()).filter((row) => row.kind === kind).map((row) => row.revoked_at_ms === null);

test('an assignment with the lower id counts, and its end counts', async () => {
  const { h, environments, keys } = await openWithCredential(204);
  const ahead = await openAhead(h);
  const lastTold = () => told(environments[0] as Environment).at(-1)?.validationJwk;
  const iat = Math.floor(Date.now() / 1000) - 1;
  const tokens = [await signAs(keys.first, { iat }), await signAs(keys.second, { iat })];
  const standings = () => Promise.all(tokens.map((token) => standingFor(h, token)));

  await tell(ahead, 'assignJwkValidation', names);
  expect(await standings()).toEqual(['good', 'unknown']);
  await tell(h, 'assignJwkValidation', second);
  expect(await livesOf(h, 'jwk-validation')).toEqual([true, false]);
  expect(await standings()).toEqual(['revoked', 'good']);
  expect(lastTold()).toEqual(publicOf(keys.second));

  // The key is given back under an id below that of the assignment that was taken.
  await tell(h, 'assignJwkValidation', names);
  expect(await livesOf(h, 'jwk-validation')).toEqual([false, true, false]);
  expect(await standings()).toEqual(['cutOff', 'revoked']);
  tokens[0] = await signAs(keys.first, { iat: Math.ceil(Date.now() / 1000) });
  expect(await standings()).toEqual(['good', 'revoked']);
  expect(lastTold()).toEqual(publicOf(keys.first));

  await tell(h, 'unassignJwkValidation', credential);
  expect(await livesOf(h, 'jwk-validation')).toEqual([false, false, false]);
  expect(await standings()).toEqual(['revoked', 'revoked']);
  expect(lastTold()).toBeNull();
  for (const gateway of [h, ahead]) {
    const again = await revokeKind(gateway, 'jwk-validation', credential);
    expect(again.code).toBe('ALREADY_REVOKED');
  }
});

test('of assignments at once one is live, until it is unassigned', async () => {
  const { h } = await openWithCredential();
  const ahead = await openAhead(h);
  const gateways = Array.from({ length: 6 }, () => [ahead, h]).flat();
  for (const use of ['Validation', 'Encryption'] as const) {
    const kind = `jwk-${use.toLowerCase()}`;
    await Promise.all(gateways.map((gateway) => assign(gateway, names, use)));
    const live = (await livesOf(h, kind)).filter(Boolean);
    expect(live).toHaveLength(1);
    expect((await revokeKind(ahead, kind, credential)).code).toBeUndefined();
    expect(await livesOf(h, kind)).toEqual(gateways.map(() => false));
  }
});

test.each(['JwtAuth', 'TokenAuth'])(
  '%s with the lower id counts, and its end counts',
  async (method) => {
    const key = await makeKey();
    const h = await openReaching({ count: 0 });
    const ahead = await openAhead(h);
    const identityId = await addIdentity(h);
    const kind = method === 'JwtAuth' ? 'jwt-auth' : 'token-auth';
    const withKey = { configurationType: 'STATIC', publicKeys: [await exportSPKI(key.publicKey)] };
    const given = { identityId, ...(method === 'JwtAuth' ? withKey : {}) };
    const jwt = await sign(key);
    const issue = async (from: Harness) =>
      method === 'JwtAuth'
        ? await accessTokenOf(from, { identityId, jwt })
        : (await newToken(from, identityId)).token;

    expectDone(await ask(ahead, `attach${method}`, given));
    const old = await issue(ahead);
    expectDone(await ask(h, `revoke${method}`, { identityId }));
    expectDone(await ask(h, `attach${method}`, given));
    expect(await livesOf(h, kind)).toEqual([true, false]);
    for (const gateway of [h, ahead]) {
      const { code } = await ask(gateway, `attach${method}`, given);
      expect(code).toBe('AUTH_METHOD_ALREADY_CONFIGURED');
    }
    const tokens = [await issue(h), await issue(ahead)];
    const standings = () => Promise.all([old, ...tokens].map((token) => standingOf(h, token)));
    expect(await standings()).toEqual(['methodRevoked', 'good', 'good']);

    expectDone(await ask(ahead, `revoke${method}`, { identityId }));
    expect(await livesOf(h, kind)).toEqual([false, false]);
    expect(await standings()).toEqual(Array(3).fill('methodRevoked'));
    expect((await ask(h, `revoke${method}`, { identityId })).code).toBe('ALREADY_REVOKED');
    if (method === 'JwtAuth') expect((await refusedLogIn(h, { identityId, jwt }))[0]).toBe(404);
    else {
      const { code } = await ask(h, 'createToken', { identityId, name: 'x' });
      expect(code).toBe('TOKEN_AUTH_NOT_CONFIGURED');
    }
  },
);
