import { expect, test } from 'vitest';
import { deliveriesTo, makeHook, openReaching, revokeKey, until } from './targets.ts';

test('claims cost no commit: one for a revocation, one for what came of telling a webhook', async () => {
  let commits = 0;
  const h = await openReaching({
    log: ({ query }) => {
      if (query.sql === 'commit') commits++;
    },
  });
  const hook = await makeHook(h, 'hook');
  for (let i = 0; i < 3; i++) {
    const before = commits;
    await revokeKey(h, i);
    await until(async () =>
      expect((await deliveriesTo(h, hook)).at(i)?.acknowledged_at_ms).toEqual(expect.any(Number)),
    );
    // What would be written after it is written by then.
    await h.running.gateway.writes.run(async () => undefined);
    expect(commits - before).toBe(3);
  }
});
