import { expect, test, vi } from 'vitest';
import type { Deployment } from '../src/delivery/deployment.ts';
import { addressOf, openWith, surfaces, verified } from './environments.ts';
import type { Harness } from './harness.ts';
import { type Loopback, listen } from './loopback.ts';

/** What a revocation has reached, and what it has not. */

interface Effect {
  state: string;
  slowestMs: number | null;
  boundMs: number;
  targets: {
    target: string;
    kind: string;
    state: string;
    attempts: number;
    notifiedAt: string | null;
    acknowledgedAt: string | null;
    lastError: string | null;
    nextAttemptAt: string | null;
  }[];
}

async function effectOf(h: Harness, id: string): Promise<Effect> {
  const { data, errors } = await h.graphql<{ me: { revocation: { effect: Effect } } }>(
    `query ($id: ID!) { me { revocation(id: $id) { effect { state slowestMs boundMs targets {
      target kind state attempts notifiedAt acknowledgedAt lastError nextAttemptAt
    } } } } }`,
    { id },
    h.demo.callers.admin,
  );
  expect(errors).toBeUndefined();
  return data.me.revocation.effect;
}

/** Waits for what an effect comes to; every state that it had on the way. */
async function until(h: Harness, id: string, state: string): Promise<[Effect, Set<string>]> {
  const seen = new Set<string>();
  for (const endMs = Date.now() + 20_000; Date.now() < endMs; ) {
    const effect = await effectOf(h, id);
    seen.add(effect.state);
    if (effect.state === state) return [effect, seen];
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`Not ${state}, but ${[...seen].join(', ')}`);
}

const failing = (times: number): Promise<Loopback> => {
  let left = times;
  return listen((response) => response.writeHead(left-- > 0 ? 500 : 204).end());
};

test.each(surfaces)(
  'through %s: one of two environments fails three times',
  async (_n, unassign) => {
    const [good, bad] = [await failing(0), await failing(3)];
    const h = await openWith({ production: good.url, staging: bad.url });
    const { admin } = h.demo.callers;
    const { deployment, revocationId = '' } = await unassign(h, addressOf(h), admin);
    expect(deployment).toEqual({
      success: false,
      message: 'Deployment failed in 1 of 2 environments',
      environmentResults: [
        { environmentName: 'production', success: true, message: 'Deployed successfully' },
        { environmentName: 'staging', success: false, message: 'Answered 500' },
      ],
    });
    const first = await effectOf(h, revocationId);
    expect(first).toMatchObject({
      ...{ state: 'PARTIAL', boundMs: 5_000 },
      targets: [
        { target: 'production', kind: 'ENVIRONMENT', state: 'EFFECTIVE', attempts: 1 },
        { target: 'staging', state: 'PENDING', acknowledgedAt: null, lastError: 'Answered 500' },
      ],
    });
    // What changes while one is behind waits its turn there, and says so.
    const { projectName, username, jwkName } = addressOf(h);
    const path = `/apiops/projects/${projectName}/credentials/${username}/jwk/validation/${jwkName}/`;
    const assigned = JSON.parse((await h.rest('PUT', path, admin)).body) as {
      deploymentResult: Deployment;
    };
    expect(assigned.deploymentResult.environmentResults[1]).toEqual({
      ...{ environmentName: 'staging', success: false },
      message: 'Waits behind an earlier message: Answered 500',
    });

    const [last, seen] = await until(h, revocationId, 'EFFECTIVE');
    expect([...seen]).toEqual(['PARTIAL', 'EFFECTIVE']);
    expect(last.targets.map(({ attempts, lastError }) => [attempts, lastError])).toEqual([
      [1, null],
      [4, 'Answered 500'],
    ]);
    const staging = last.targets[1];
    const took = Date.parse(staging?.acknowledgedAt ?? '') - Date.parse(staging?.notifiedAt ?? '');
    expect(took).toBeGreaterThanOrEqual(0);
    expect(last.slowestMs).toBeGreaterThan(1_500);

    // Only the failed one was told again, under one id; nobody was told an older state after a newer.
    await vi.waitUntil(() => bad.received.length === 5, { timeout: 5_000 });
    const ids = bad.received.map(({ headers }) => headers['webhook-id']);
    expect(ids.slice(0, 4)).toEqual(Array(4).fill(revocationId));
    expect(new Set(ids).size).toBe(2);
    const states = async (name: string, { received }: Loopback) => {
      const told = await Promise.all(
        received.map((message) => verified(h, addressOf(h), name, message)),
      );
      return told.map(({ data }) => data.validationJwk === null);
    };
    expect(await states('production', good)).toEqual([true, false]);
    expect(await states('staging', bad)).toEqual([true, false, false, false, false]);
  },
  30_000,
);

test('a revocation that nobody else must learn of is effective at once', async () => {
  const h = await openWith({});
  const { tokenId } = h.demo.accessToken[0] ?? {};
  const path = `/api/v1/auth/token-auth/tokens/${tokenId}/revoke`;
  const { headers } = await h.rest('POST', path, h.demo.callers.admin);
  expect(await effectOf(h, headers['revocation-id'] ?? '')).toEqual({
    ...{ state: 'EFFECTIVE', slowestMs: null, boundMs: 5_000, targets: [] },
  });
});
