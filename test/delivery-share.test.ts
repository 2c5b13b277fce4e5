import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import {
  ascending,
  change,
  forAll,
  type Place,
  share,
  shareEnvironment,
  shareHook,
} from './sharing.ts';
import { until } from './targets.ts';

/** Several gateways on one database: each thing is told once, in order, whoever did it. */

const KEYS = 240;
const CHANGES = 16;

/** Each message came once, one after the other, in order. */
function expectOnceInOrder({ told, atOnceMax }: Place): void {
  const seqs = told().map(({ seq }) => seq);
  expect(seqs).toEqual(ascending([...new Set(seqs)]));
  expect(atOnceMax()).toBe(1);
}

test.each([2, 3])(
  'what %i gateways revoke at once is told once each, in order',
  async (count) => {
    const { gateways } = await share(count, { keys: KEYS });
    const [first] = gateways;
    if (first === undefined) throw new Error('No gateway');
    const revoked = { events: ['CREDENTIAL_REVOKED'], kinds: ['API_KEY'] };
    const hooks = [
      await shareHook(first, 'first', undefined, revoked),
      await shareHook(first, 'second', undefined, revoked),
    ];
    const users = ['ada', 'bob'];
    const environment = await shareEnvironment(first, users);
    const at = (i: number) => gateways[i % count] ?? first;

    const ids: string[] = [];
    const revoking = forAll(KEYS, 4 * count, async (i) => {
      const id = await at(i).revokeKey(i);
      if (id !== undefined) ids.push(id);
      await setTimeout(Math.random() * 20);
    });
    // Each change is answered with what became of it, whichever gateway tells the environment.
    const changing = forAll(users.length, users.length, async (u) => {
      for (let i = 0; i < CHANGES; i++) {
        const how = i % 2 === 0 ? 'assign' : 'unassign';
        const deployed = await change(at(u + i), users[u] ?? '', how);
        expect(deployed).toMatchObject({ success: true, environmentResults: [{ success: true }] });
      }
    });
    await Promise.all([revoking, changing]);
    expect(new Set(ids).size).toBe(KEYS);

    for (const hook of hooks) {
      await until(() => expect(hook.told().length).toBeGreaterThanOrEqual(KEYS), 20_000);
    }
    // What would come twice comes within the time of two scans.
    await setTimeout(2_500);
    for (const hook of hooks) {
      expectOnceInOrder(hook);
      expect(
        hook
          .told()
          .map(({ id }) => id)
          .toSorted(),
      ).toEqual(ids.toSorted());
    }
    expectOnceInOrder(environment);
    expect(environment.told()).toHaveLength(users.length * CHANGES);
  },
  120_000,
);

test('what one gateway has revoked the others refuse from its answer on', async () => {
  const { gateways } = await share(3);
  const [first] = gateways;
  const isGood = async (url: string, secret: string) => {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${secret}` },
      body: JSON.stringify({ query: '{ me { __typename } }' }),
    });
    const { data } = (await response.json()) as { data?: { me: unknown } };
    return response.status === 200 && data?.me != null;
  };
  await forAll(30, 3, async (i) => {
    const input = { name: `token ${i}`, permissions: ['ledger:read'] };
    const made = await (first as NonNullable<typeof first>).mutate<{
      personalAccessToken: { id: string };
      secret: string;
    }>('createPersonalAccessToken', input, 'personalAccessToken { id } secret');
    const asked = () => Promise.all(gateways.map(({ url }) => isGood(url, made.secret)));
    expect(await asked()).toEqual([true, true, true]);
    const { id } = made.personalAccessToken;
    const asking = { personalAccessTokenId: id };
    await gateways[i % 3]?.mutate('revokePersonalAccessToken', asking, 'revocation { id }');
    expect(await asked()).toEqual([false, false, false]);
  });
}, 60_000);

test('an answer waits for the first attempt where another gateway makes it, and says what it came to', async () => {
  const { gateways } = await share(2);
  const [a, b] = gateways as [(typeof gateways)[0], (typeof gateways)[0]];
  let answers: [number, number][] = [];
  const place = await shareEnvironment(a, ['ada', 'bob'], async (response) => {
    const [status, ms] = answers.shift() ?? [204, 0];
    await setTimeout(ms);
    response.writeHead(status).end();
  });
  await change(a, 'ada', 'assign');
  await change(a, 'bob', 'assign');

  for (const [status, result] of [
    [204, { success: true }],
    [500, { success: false, message: 'Answered 500' }],
  ] as const) {
    answers = [
      [204, 700],
      [status, 0],
      [204, 0],
    ];
    const before = place.told().length;
    const slow = change(a, 'ada', 'unassign');
    await until(() => expect(place.told()).toHaveLength(before + 1));
    // The first gateway is at it, and goes on with this.
    expect(await change(b, 'bob', 'unassign')).toMatchObject({ environmentResults: [result] });
    expect(await slow).toMatchObject({ success: true });
    expect(place.atOnceMax()).toBe(1);
    await until(() => expect(place.told()).toHaveLength(before + (status === 204 ? 2 : 3)));
    await change(b, 'ada', 'assign');
    await change(a, 'bob', 'assign');
  }

  // While the oldest waits, an answer says so at once, whichever gateway has tried it.
  answers = [
    [500, 0],
    [500, 0],
    [500, 0],
  ];
  await change(a, 'ada', 'unassign');
  const began = performance.now();
  expect(await change(b, 'bob', 'unassign')).toMatchObject({
    environmentResults: [
      { success: false, message: 'Waits behind an earlier message: Answered 500' },
    ],
  });
  expect(performance.now() - began).toBeLessThan(3_000);
}, 60_000);
