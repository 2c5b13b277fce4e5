import type { ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import { assign, create, makeCredential, makeJwk, names, revokeKind } from './assigned.ts';
import { openGateway } from './harness.ts';
import { trusting } from './issuers.ts';
import { listen } from './loopback.ts';
import { deliveriesTo, makeHook, movableClock, openReaching, revokeKey, until } from './targets.ts';
import { lastEntry, second } from './told.ts';

/** What is recorded of deliveries is what happened, whatever happens beside. */

/** A gateway with a credential that has a JWK, and an environment. */
async function openAssigned(answer: (response: ServerResponse) => unknown) {
  const { outboundAllow } = trusting({ jwksUrl: 'https://issuer.example/jwks' });
  const h = await openGateway({ count: 0, config: { outboundAllow } });
  await makeCredential(h);
  await makeJwk(h);
  await assign(h);
  const receiver = await listen(answer);
  const { projectName } = names;
  await create(h, 'createEnvironment', { projectName, name: 'e', url: receiver.url });
  return { h, receiver };
}

test('a revoked JWK is not effective before its environment has acknowledged it', async () => {
  let well = true;
  const { h, receiver } = await openAssigned((response) =>
    response.writeHead(well ? 204 : 500).end(),
  );
  await makeJwk(h, second);
  well = false;
  await revokeKind(h, 'jwk', { projectName: names.projectName, jwkName: names.jwkName });
  const { id, seq } = await lastEntry(h);
  // Nothing has this JWK any more when it is tried again.
  await assign(h, second);
  const told = () =>
    receiver.received.filter(({ headers }) => String(headers['webhook-id']).startsWith(id)).length;
  await until(() => expect(told()).toBeGreaterThan(1));
  const [delivery] = await h.running.database.reader
    .selectFrom('deliveries')
    .selectAll()
    .where('seq', '=', seq)
    .execute();
  expect(delivery?.acknowledged_at_ms).toBeNull();
}, 30_000);

test('what is acknowledged behind the bound has broken it, however soon it was looked at', async () => {
  const h = await openReaching({ config: { effectBoundMs: 100 } });
  const slow = await makeHook(h, 'slow', (response) => {
    setTimeout(() => response.end(), 200);
  });
  await revokeKey(h);
  await until(async () => {
    const late = (await h.ledger()).filter(({ action }) => action === 'late');
    expect(late).toMatchObject([{ kind: 'webhook', target_id: slow.id }]);
  });
});

test.each([3_600_000, 40 * 86_400_000])(
  'a clock that goes back by %i ms keeps nothing waiting',
  async (backMs) => {
    const clock = movableClock();
    const h = await openReaching({ now: clock.now });
    let times = 0;
    const hook = await makeHook(h, 'hook', (r) => r.writeHead(++times === 1 ? 500 : 204).end());
    await revokeKey(h);
    await until(() => expect(times).toBe(1));
    await until(async () => expect((await deliveriesTo(h, hook))[0]?.attempts).toBe(1));
    clock.advance(-backMs);
    await until(async () =>
      expect((await deliveriesTo(h, hook))[0]?.acknowledged_at_ms).not.toBeNull(),
    );
  },
);

test('an environment that fails half way is told the rest, and nothing twice', async () => {
  let times = Number.NEGATIVE_INFINITY;
  const { h, receiver } = await openAssigned((response) =>
    response.writeHead(++times === 2 ? 500 : 204).end(),
  );
  for (const username of ['second-user', 'third-user']) {
    await create(h, 'createGatewayCredential', { projectName: names.projectName, username });
    await assign(h, { ...names, username });
  }
  const { length } = receiver.received;
  times = 0;
  await revokeKind(h, 'jwk', { projectName: names.projectName, jwkName: names.jwkName });
  await until(() => expect(receiver.received).toHaveLength(length + 4));
  const ids = receiver.received.slice(length).map(({ headers }) => headers['webhook-id']);
  expect(new Set(ids).size).toBe(3);
  expect(ids[2]).toBe(ids[1]);
});
