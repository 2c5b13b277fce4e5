import { describe, expect, test } from 'vitest';
import type { Target } from '../db/tables.ts';
import type { TargetKind } from '../src/delivery/targets.ts';
import { targetsMax } from '../src/targets/limit.ts';
import { newTarget } from '../src/targets/row.ts';
import { create } from './assigned.ts';
import { ask } from './creation.ts';
import { creationOf } from './creations.ts';
import { type Harness, openGateway } from './harness.ts';
import { add, organizationRow } from './kinds.ts';

/** There are only so many live targets: each revocation writes a row for each. */

interface Limited {
  readonly kind: TargetKind;
  readonly mutation: string;
  readonly most: number;
  readonly message: string;
  readonly input: object;
  /** What removes one again. */
  readonly remove: string;
  readonly id: string;
}

const limits: readonly Limited[] = [
  {
    ...{ kind: 'webhook', mutation: 'createWebhook', most: 100 },
    message: 'There are 100 webhooks already: remove one first.',
    input: { url: 'https://hooks.example/' },
    ...{ remove: 'removeTarget', id: 'targetId' },
  },
  {
    ...{ kind: 'enforcement-point', mutation: 'createEnforcementPoint', most: 200 },
    message: 'There are 200 enforcement points already: remove one first.',
    input: {},
    ...{ remove: 'revokeEnforcementPoint', id: 'enforcementPointId' },
  },
  {
    ...{ kind: 'environment', mutation: 'createEnvironment', most: 100 },
    message: 'There are 100 environments already: remove one first.',
    input: { projectName: 'shop', url: 'https://live.example/' },
    ...{ remove: 'removeTarget', id: 'targetId' },
  },
];

test('every kind of target has a limit, and a case here', () => {
  expect(Object.fromEntries(limits.map(({ kind, most }) => [kind, most]))).toEqual(targetsMax);
});

/** Adds so many targets to a scope behind the gateway's back. */
async function addTargets(
  h: Harness,
  scope: { readonly id: string; readonly organization_id: string },
  kind: TargetKind,
  count: number,
  more: Partial<Target> = {},
): Promise<void> {
  const { gateway } = h.running;
  const rows = Array.from({ length: count }, (_, i) =>
    newTarget({
      ...{ id: gateway.newId(), kind, name: `present-${i}`, url: '', secret_jwe: '' },
      ...{ organization_id: scope.organization_id, scope_id: scope.id },
      ...{ created_at_ms: gateway.now(), ...more },
    }),
  );
  await gateway.writes.run(async (tx) => {
    await tx.insertInto('targets').values(rows).execute();
  });
}

/** A gateway whose organization has one target fewer than it may, and more that do not count. */
async function openAlmostFull({ kind, most }: Limited) {
  const h = await openGateway({ count: 0 });
  const [acme, globex] = [await organizationRow(h, 'acme'), await organizationRow(h, 'globex')];
  const shop = await add(h, acme, 'project', { slug: 'shop', name: 'shop' });
  const other = await add(h, acme, 'project', { slug: 'other', name: 'other' });
  const ofProject = kind === 'environment';
  await addTargets(h, ofProject ? shop : acme, kind, most - 1);
  await addTargets(h, ofProject ? shop : acme, kind, most, { removed_at_ms: 1 });
  await addTargets(h, globex, kind, most);
  if (ofProject) await addTargets(h, other, kind, most);
  else await addTargets(h, acme, kind === 'webhook' ? 'enforcement-point' : 'webhook', most);
  return h;
}

describe.each(limits)('$mutation', (limited) => {
  const { kind, mutation, message, input, remove, id } = limited;
  const creation = creationOf(mutation);
  const refused = { code: 'TOO_MANY_TARGETS', message };

  test('is refused beyond the limit, until one is removed', async () => {
    const h = await openAlmostFull(limited);
    const { shown } = await create(h, mutation, { ...input, name: 'last' });
    expect(await ask(h, creation, { ...input, name: 'beyond' })).toMatchObject(refused);
    expect((await h.ledger()).at(-1)).toMatchObject({
      ...{ action: 'create', kind, outcome: 'refused', refusal: 'TOO_MANY_TARGETS' },
    });
    // Who asks once more for what is there learns that it is.
    expect((await ask(h, creation, { ...input, name: 'last' })).code).toBe('NAME_TAKEN');
    const { errors } = await h.graphql(
      `mutation M($id: ID!) { ${remove}(input: { ${id}: $id }) { ... on Error { code } } }`,
      { id: shown.id },
      h.demo.callers.admin,
    );
    expect(errors).toBeUndefined();
    await create(h, mutation, { ...input, name: 'beyond' });
  });

  test('10 at once: no more are made than there may be', async () => {
    const h = await openAlmostFull(limited);
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, i) => ask(h, creation, { ...input, name: `new-${i}` })),
    );
    const codes = answers.map(({ code = 'DONE' }) => code);
    expect(codes.toSorted()).toEqual(['DONE', ...Array(9).fill('TOO_MANY_TARGETS')]);
  });
});
