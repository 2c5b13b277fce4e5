import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { type Harness, openGateway } from './harness.ts';
import { allowWrites, refuseWrites } from './refused-writes.ts';

/** A database that takes no more in the middle of a transaction: some of it is rolled back, or all. */

const COUNT = 120;

const pragma = (h: Harness, text: string) =>
  h.running.gateway.writes.run(async (tx) => {
    await sql.raw(`pragma ${text}`).execute(tx);
  });

const revokeAll = (h: Harness) =>
  Promise.all(
    h.demo.apiKey.map(async ({ applicationId, keyId }) => {
      const path = `/api/v1/applications/${applicationId}/api-keys/${keyId}`;
      return (await h.rest('DELETE', path, h.demo.callers.personalAccessToken)).status;
    }),
  );

/** How many are revoked: each row has its entry, and each entry its row. */
async function done(h: Harness): Promise<number> {
  const revoked = (await h.rows()).filter(({ revoked_at_ms }) => revoked_at_ms !== null);
  const entries = (await h.ledger()).filter(({ outcome }) => outcome === 'done');
  expect(entries.map(({ target_id }) => target_id).toSorted()).toEqual(
    revoked.map(({ id }) => id).toSorted(),
  );
  return revoked.length;
}

const causes: Record<string, { begin(h: Harness): Promise<void>; end(h: Harness): Promise<void> }> =
  {
    'no page more than it has': {
      begin: (h) => pragma(h, 'max_page_count = 1'),
      end: (h) => pragma(h, 'max_page_count = 1000000'),
    },
    'no write of what does not fit into memory': {
      begin: async (h) => {
        // Changed pages are written before the commit.
        await pragma(h, 'cache_size = 10');
        await pragma(h, 'cache_spill = 1');
        refuseWrites(process.pid);
      },
      end: async () => allowWrites(process.pid),
    },
  };

for (const [what, { begin, end }] of Object.entries(causes)) {
  test(`${what}: 503 for whatever is not done, and all is done later`, async () => {
    const h = await openGateway({ count: COUNT });
    await begin(h);
    const first = await revokeAll(h).finally(() => end(h));
    expect(first).toContain(503);
    const finished = first.filter((status) => status !== 503);
    expect(finished.every((status) => status === 200)).toBe(true);
    expect(await done(h)).toBe(finished.length);

    const again = await revokeAll(h);
    expect(again).toEqual(first.map((status) => (status === 200 ? 404 : 200)));
    expect(await done(h)).toBe(COUNT);
  });
}
