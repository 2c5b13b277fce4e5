import { describe, expect, test } from 'vitest';
import { tokenWith } from './callers.ts';
import type { Harness } from './harness.ts';
import { makeQuiet, owe } from './quiet.ts';
import { look, mutate, openReaching } from './targets.ts';

/** What the graph says of targets: who sees them, and how they stand. */

interface Page {
  edges: { node: { name: string } }[];
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
}

async function list(h: Harness, args = '', token = h.demo.callers.admin): Promise<Page | null> {
  const { data, errors } = await h.graphql<{ me: { targets: Page | null } }>(
    `{ me { targets${args} { edges { node { name } } pageInfo { hasNextPage endCursor } } } }`,
    {},
    token,
  );
  expect(errors).toBeUndefined();
  return data.me.targets;
}

const namesIn = (page: Page | null) => page?.edges.map(({ node }) => node.name);

describe('me.targets', () => {
  test('has each kind, newest first, in pages, and none that was removed', async () => {
    const h = await openReaching({
      count: 1,
      environments: [{ name: 'live', url: 'http://127.0.0.1:8/' }],
    });
    for (const name of ['one', 'two', 'three']) await makeQuiet(h, name);
    await mutate(h, 'createEnforcementPoint', { name: 'edge' }, '__typename');
    const all = ['edge', 'three', 'two', 'one', 'live', 'live'];
    expect(namesIn(await list(h))).toEqual(all);
    const first = await list(h, '(first: 2)');
    expect([namesIn(first), first?.pageInfo.hasNextPage]).toEqual([all.slice(0, 2), true]);
    const after = `(first: 9, after: "${first?.pageInfo.endCursor}")`;
    expect(namesIn(await list(h, after))).toEqual(all.slice(2));
    expect(namesIn(await list(h, '(last: 2)'))).toEqual(all.slice(-2));

    const { data } = await h.graphql<{ me: { targets: { edges: { node: { id: string } }[] } } }>(
      '{ me { targets(first: 2) { edges { node { id } } } } }',
      {},
      h.demo.callers.admin,
    );
    const targetId = data.me.targets.edges[1]?.node.id;
    await mutate(h, 'removeTarget', { targetId }, '__typename');
    expect(namesIn(await list(h))).toEqual(all.filter((name) => name !== 'three'));
  });

  test("is null without target:manage, also with that of one project's, and has no other's", async () => {
    const h = await openReaching();
    await makeQuiet(h, 'hook');
    for (const held of [['ledger:read'], ['target:manage@project-001']]) {
      expect(await list(h, '', await tokenWith(h, held))).toBeNull();
    }
    expect(namesIn(await list(h, '', await tokenWith(h, ['target:manage'])))).toEqual(['hook']);
    expect(namesIn(await list(h, '', h.demo.callers.outsider))).toEqual([]);
  });

  test('shows no secret, however it is asked', async () => {
    const h = await openReaching();
    await makeQuiet(h, 'hook');
    const { data } = await h.graphql<{ __type: { fields: { name: string }[] } }>(
      '{ __type(name: "Target") { fields { name } } }',
    );
    const names = data.__type.fields.map(({ name }) => name);
    expect(names).toContain('timeToEffect');
    expect(names.filter((name) => /secret|jwe/i.test(name))).toEqual([]);
  });
});

describe('how a target stands', () => {
  const asked = 'state pending stuck oldestPendingAt lastError';

  test('is effective, pending or stuck, with the oldest that is pending and the last error', async () => {
    const h = await openReaching();
    const hook = await makeQuiet(h, 'hook');
    // What is not to be sent while it is looked at.
    const later = { next_attempt_at_ms: Date.now() + 3_600_000 };
    const nothing = { state: 'EFFECTIVE', pending: 0, stuck: 0, oldestPendingAt: null };
    expect(await look(h, hook.id, asked)).toEqual({ ...nothing, lastError: null });
    await owe(h, hook, { acknowledged_at_ms: Date.now(), last_error: 'Answered 500' });
    await owe(h, hook, { closed_at_ms: Date.now(), closed_by: 'ada', last_error: 'Answered 501' });
    expect(await look(h, hook.id, asked)).toEqual({ ...nothing, lastError: null });

    const oldest = await owe(h, hook, { last_error: 'Answered 502', ...later });
    await owe(h, hook, { attempts: 0, ...later });
    const entry = (await h.ledger()).find(({ seq }) => seq === oldest.seq);
    const pending = {
      ...{ state: 'PENDING', pending: 2, stuck: 0, lastError: 'Answered 502' },
      oldestPendingAt: new Date(entry?.at_ms ?? 0).toISOString(),
    };
    expect(await look(h, hook.id, asked)).toEqual(pending);
    for (const last_error of ['Answered 503', 'Answered 504']) {
      await owe(h, hook, { attempts: 12, stuck_at_ms: 1_000, last_error });
    }
    expect(await look(h, hook.id, asked)).toEqual({ ...pending, state: 'STUCK', stuck: 2 });
    await h.running.gateway.writes.run(async (tx) => {
      const done = { acknowledged_at_ms: Date.now() };
      await tx.updateTable('deliveries').set(done).where('stuck_at_ms', 'is', null).execute();
    });
    expect(await look(h, hook.id, asked)).toEqual({
      ...{ ...nothing, state: 'STUCK', stuck: 2, lastError: 'Answered 504' },
    });
  });

  test('has pages of what is stuck, newest first', async () => {
    const h = await openReaching();
    const [hook, other] = [await makeQuiet(h, 'hook'), await makeQuiet(h, 'other')];
    const seqs: number[] = [];
    for (let i = 0; i < 5; i++) {
      const more = { attempts: i, stuck_at_ms: i * 1000, last_error: `Answered 50${i}` };
      seqs.push((await owe(h, hook, more)).seq);
    }
    await owe(h, other, { attempts: 12, stuck_at_ms: 1 });
    const ids = new Map((await h.ledger()).map(({ seq, id }) => [seq, id]));
    const nodes = seqs.toReversed().map((seq, i) => ({
      node: {
        ...{ revocationId: ids.get(seq), attempts: 4 - i, lastError: `Answered 50${4 - i}` },
        stuckAt: new Date((4 - i) * 1000).toISOString(),
      },
    }));
    const node = 'edges { node { revocationId attempts lastError stuckAt } }';
    interface Stuck {
      stuckDeliveries: { edges: object[]; pageInfo: { endCursor: string; hasNextPage: boolean } };
    }
    const page = (args: string) =>
      look<Stuck>(
        h,
        hook.id,
        `stuckDeliveries${args} { ${node} pageInfo { endCursor hasNextPage } }`,
      );
    const { stuckDeliveries: all } = await page('');
    expect([all.edges, all.pageInfo.hasNextPage]).toEqual([nodes, false]);
    const { stuckDeliveries: first } = await page('(first: 2)');
    expect([first.edges, first.pageInfo.hasNextPage]).toEqual([nodes.slice(0, 2), true]);
    const { stuckDeliveries: rest } = await page(`(after: "${first.pageInfo.endCursor}")`);
    expect(rest.edges).toEqual(nodes.slice(2));
    expect((await page('(last: 2)')).stuckDeliveries.edges).toEqual(nodes.slice(-2));
  });
});
