import { expect, test } from 'vitest';
import { type Backup, fatten, filled, lookInto, restoreFrom } from './backups.ts';
import { wrongIn, wrongWithSecrets } from './crash-checks.ts';
import { startLoad, type Told } from './crash-load.ts';
import { type Target, targetsOf } from './crash-targets.ts';
import { gateway, gatewayJson, serve } from './processes.ts';

/** A backup that is made under load, and restored behind a crash. */

const newTold = (): Told => ({
  ...{ revoked: new Map(), created: new Set(), revokedBefore: new Set(), problems: [] },
  ...{ unanswered: 0, unavailable: 0 },
});

/** What clients were told by now. */
const copyOf = ({ revoked, created, revokedBefore }: Told): Told => ({
  ...newTold(),
  ...{ revoked: new Map(revoked), created: new Set(created) },
  revokedBefore: new Set(revokedBefore),
});

test('all that was answered before it began is there again, and nothing is half done', async () => {
  const { env, demo, file, at } = await filled(600);
  fatten(file, 60);
  const served = await serve(env);
  const told = newTold();
  const waiting = targetsOf(demo);
  let crashed = false;
  const load = startLoad({
    ...{ waiting, told, random: Math.random, mayBreak: () => crashed },
    url: served.url.replace('localhost', '127.0.0.1'),
    token: demo.callers.personalAccessToken,
  });
  while (told.revoked.size < 300) expect(await load.answered(20_000)).toBe(true);

  const before = copyOf(told);
  const backup = await gatewayJson<Backup>(env, 'backup', '--to', at('backup.db'));
  // What comes while it is made, and behind it, is in none.
  const sizeThen = told.revoked.size;
  expect(sizeThen).toBeGreaterThan(before.revoked.size);
  while (told.revoked.size < sizeThen + 100) expect(await load.answered(20_000)).toBe(true);
  crashed = true;
  served.kill('SIGKILL');
  await served.ended;
  await load.stop();
  expect(told.problems).toEqual([]);
  expect(told.unavailable).toBe(0);

  const { keptAs, missing, lastSeq } = await restoreFrom(env, at('backup.db'));
  expect(lastSeq).toBe(backup.lastSeq);
  const again = await serve(env);
  const looked = {
    all: async <Row>(sql: string) => lookInto(file, (db) => db.prepare<[], Row>(sql).all()),
    damage: async () => [],
  };
  expect(await wrongIn(looked, before)).toEqual([]);
  const isIn = (db: string) => {
    const query = "select id from ledger where action = 'revoke' and outcome = 'done'";
    return new Set(lookInto(db, (open) => open.prepare<[], string>(query).pluck().all()));
  };
  const [restored, old] = [isIn(file), isIn(keptAs ?? '')];
  const lost = [...old].filter((id) => !restored.has(id));
  expect([...told.revoked.keys()].filter((id) => !old.has(id))).toEqual([]);
  expect(lost.length).toBeGreaterThanOrEqual(100);
  expect(missing?.revocations).toBe(lost.length);

  // What was revoked in time stays refused; what was revoked too late is good again, and listed.
  const sample = (ids: Iterable<string>) =>
    [...ids]
      .flatMap((id) => told.revoked.get(id) ?? [])
      .filter((target: Target) => target.secret !== undefined)
      .slice(0, 40);
  const samples = { revoked: sample(before.revoked.keys()), good: sample(lost) };
  expect(samples.revoked.length).toBeGreaterThan(20);
  expect(await wrongWithSecrets(again.url, demo.oauthClient, samples)).toEqual([]);
  // However far the restored ledger has gone on meanwhile.
  fatten(file, 60);
  const listed = await gateway(env, 'restore', 'missing', keptAs ?? '', '--json');
  expect(listed).toMatchObject({ code: 0, stderr: '' });
  const lines = listed.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(new Set(lines.map(({ revocationId }) => revocationId))).toEqual(new Set(lost));
  const one = lines.find(({ kind }) => kind === 'api-key');
  expect(one).toEqual({
    ...{ seq: expect.any(Number), revocationId: expect.any(String), reason: 'UNSPECIFIED' },
    ...{ at: expect.stringMatching(/Z$/), organization: 'acme', kind: 'api-key' },
    ...{ id: expect.any(String), target: expect.any(String), actor: 'demo' },
  });
  const shown = await gateway(env, 'restore', 'missing', keptAs ?? '');
  expect(shown.stdout.split('\n')).toContain(
    [one.at, 'acme', 'api-key', one.id, 'UNSPECIFIED'].join('  '),
  );
}, 180_000);
