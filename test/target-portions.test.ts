import type { LogEvent } from 'kysely';
import { expect, test } from 'vitest';
import { PORTION_MAX } from '../src/delivery/portion.ts';
import { past } from './engine.ts';
import { makePoint } from './feed-client.ts';
import type { Harness } from './harness.ts';
import { ask } from './identities.ts';
import { makeHook, mutate, openReaching, revokeKey, until } from './targets.ts';

/** Targets that are owed very much: nobody waits until all of it is changed. */

const OWED = 30_000;

// Late is another test's matter.
const config = { effectBoundMs: 86_400_000 };

const columns = `organization_id, at_ms, action, kind, target_id, target, outcome, refusal, reason,
  comment, actor, actor_id, surface, request_id`;

/** The id of the nth of the revocations that are added to one. */
const nthAfter = (id: string, n: number) => `${id.slice(0, 24)}${100_000_000_000 + n}`;

/** Has a target owed so many revocations, past the gateway. */
async function owe(h: Harness, targetId: string, count: number, state: object = {}, key = 0) {
  const revocationId = await revokeKey(h, key);
  const db = await past(h.folder);
  await db.all(
    `insert into ledger (seq, id, ${columns})
     with recursive n(i) as (select 1 union all select i + 1 from n where i < ${count})
     select (select max(seq) from ledger) + i, substr(id, 1, 24) || (100000000000 + i), ${columns}
     from ledger, n where id = ?`,
    revocationId,
  );
  const names = Object.keys(state).map((name) => `, ${name}`);
  const values = Object.values(state).map((value) => `, ${value}`);
  await db.all(
    `insert into deliveries (seq, target_id, attempts${names.join('')})
     select seq, '${targetId}', 0${values.join('')} from ledger where id like ?`,
    nthAfter(revocationId, 0).replace(/.{6}$/, '%'),
  );
  return { db, revocationId };
}

/** How many deliveries to a target are like this. */
async function count(h: Harness, targetId: string, like: string): Promise<number> {
  const db = await past(h.folder);
  const [row] = await db.all<{ n: number }>(
    `select count(*) as n from deliveries where target_id = ? and ${like}`,
    targetId,
  );
  await db.close();
  return Number(row?.n);
}

/** How often deliveries were closed by one statement. */
function closings() {
  let times = 0;
  const log = ({ query: { sql } }: LogEvent) => {
    if (/^update "deliveries" set "closed_at_ms"/.test(sql)) times++;
  };
  return { log, times: () => times };
}

test('a point that is owed very much is revoked at once, and others are not held up', async () => {
  const { log, times } = closings();
  const h = await openReaching({ config, log });
  const { id } = await makePoint(h);
  const { revocationId } = await owe(h, id, OWED);
  const [, behind] = await Promise.all([
    ask(h, 'revokeEnforcementPoint', { enforcementPointId: id }),
    revokeKey(h, 1),
  ]);
  expect(behind).not.toBe('');
  const closed = await count(h, id, 'closed_at_ms is not null');
  expect(closed).toBeGreaterThanOrEqual(PORTION_MAX);
  expect(closed).toBeLessThan(OWED);

  const effect = `{ me { revocation(id: "${nthAfter(revocationId, OWED)}") { effect { state
    targets { state closedReason } } } } }`;
  expect((await h.graphql(effect, {}, h.demo.callers.admin)).data).toEqual({
    me: {
      revocation: {
        effect: {
          state: 'EFFECTIVE',
          targets: [{ state: 'CLOSED', closedReason: 'The target was removed' }],
        },
      },
    },
  });

  await until(async () => expect(await count(h, id, 'closed_at_ms is null')).toBe(0), 20_000);
  const { revoked_at_ms } = await h.row(id);
  const alike = `closed_by = 'admin' and closed_at_ms = ${revoked_at_ms}`;
  expect(await count(h, id, alike)).toBe(await count(h, id, 'true'));
  expect(times()).toBeGreaterThanOrEqual(OWED / PORTION_MAX);
}, 60_000);

test('a webhook that is owed very much is removed at once, and told nothing more', async () => {
  const h = await openReaching({ config });
  const hook = await makeHook(h, 'hook', (response) => response.writeHead(500).end());
  await owe(h, hook.id, OWED / 2, { next_attempt_at_ms: 1 });
  await owe(h, hook.id, OWED / 2, { stuck_at_ms: 1 }, 1);
  const asked = 'target { state pending stuck lateSince }';
  expect(await mutate(h, 'removeTarget', { targetId: hook.id }, asked)).toEqual({
    target: { state: 'EFFECTIVE', pending: 0, stuck: 0, lateSince: null },
  });
  expect(await count(h, hook.id, 'closed_at_ms is null')).toBeGreaterThan(0);
  const { length } = hook.receiver.received;
  await until(async () => expect(await count(h, hook.id, 'closed_at_ms is null')).toBe(0), 20_000);
  // One may have been on its way.
  expect(hook.receiver.received.length - length).toBeLessThanOrEqual(1);
  const db = await past(h.folder);
  await until(async () =>
    expect(await db.all('select late_since_ms as late from targets')).toEqual([{ late: null }]),
  );
}, 60_000);

test('what a gateway that died has left open is closed, and not sent', async () => {
  const h = await openReaching({ config });
  const hook = await makeHook(h, 'hook', undefined, { events: ['TARGET_LATE'] });
  const claimedUntil = Date.now() + 1_500;
  const db = await past(h.folder);
  await db.all(
    `update targets set removed_at_ms = 5, late_since_ms = 5, claimed_by = 'dead',
       claimed_until_ms = ? where id = ?`,
    ...[claimedUntil, hook.id],
  );
  await owe(h, hook.id, 2 * PORTION_MAX + 1);
  await until(async () => expect(await count(h, hook.id, 'closed_at_ms = 5')).toBeGreaterThan(0));
  expect(Date.now()).toBeGreaterThanOrEqual(claimedUntil);
  await until(async () => expect(await count(h, hook.id, 'closed_at_ms is null')).toBe(0));
  expect(hook.receiver.received).toHaveLength(0);
  await until(async () =>
    expect(await db.all('select late_since_ms, claimed_by from targets')).toEqual([
      { late_since_ms: null, claimed_by: null },
    ]),
  );
});

test('all that is stuck and all that waits is resumed, and counted', async () => {
  const h = await openReaching({ config });
  const hook = await makeHook(h, 'hook', undefined, { events: ['TARGET_LATE'] });
  const [waiting, stuck] = [2 * PORTION_MAX, 2 * PORTION_MAX + 500];
  const later = Date.now() + 1_800_000;
  await owe(h, hook.id, waiting, { next_attempt_at_ms: later });
  await owe(h, hook.id, stuck, { stuck_at_ms: 1 }, 1);
  const { resumed } = await mutate<{ resumed: number }>(
    h,
    'resumeTarget',
    { targetId: hook.id },
    'resumed',
  );
  expect(resumed).toBe(stuck);
  expect(await count(h, hook.id, 'stuck_at_ms is not null')).toBe(0);
  expect(await count(h, hook.id, 'next_attempt_at_ms is not null')).toBe(0);
  await until(() => expect(hook.receiver.received.length).toBeGreaterThan(0));
}, 30_000);
