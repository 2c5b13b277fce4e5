import { expect, test } from 'vitest';
import {
  changesIn,
  endOf,
  followFeed,
  isPosition,
  openFollowed,
  revokeKeys,
} from './feed-client.ts';

/** Where a client of the feed was: taken for what it is only in the ledger in which it was. */

test('an entry is known by its mark, and a number alone is taken at its word', async () => {
  const { h, url, point, feed } = await openFollowed();
  await revokeKeys(h, 1);
  const change = await feed.until(({ event }) => event === 'change');
  const { id = '' } = change;
  const [, seq = '', mark = ''] = /^(\d+)-(.+)$/.exec(id) ?? [];
  const { applicationId, keyId } = h.demo.apiKey[1] ?? {};
  const path = `/api/v1/applications/${applicationId}/api-keys/${keyId}`;
  expect((await h.rest('DELETE', path, h.demo.callers.admin)).status).toBe(200);
  const end = await endOf(h);

  for (const after of [id, seq]) {
    const again = await followFeed(url, point.token, { after });
    const { data } = await again.until(isPosition);
    expect(data.position).toBe(end);
    expect(again.told.map(({ event }) => event)).not.toContain('snapshot');
    expect(changesIn(again).map((each) => each.seq)).toEqual([end]);
  }
  const other = mark.replace(/^./, (first) => (first === 'a' ? 'b' : 'a'));
  for (const query of [`?after=${seq}-${other}`, `?after=${end + 1}-${mark}`]) {
    const anew = await followFeed(url, point.token, { query });
    expect(await anew.until(() => true)).toMatchObject({ event: 'snapshot' });
    await anew.until(isPosition);
    expect(changesIn(anew)).toEqual([]);
  }
  for (const after of [`${seq}-`, `${seq}-${mark}0`, `${seq}-${mark.slice(1)}`, `-${mark}`]) {
    expect((await followFeed(url, point.token, { after })).response.status).toBe(400);
  }
});

test('the mark tells nothing of the entry, which may be of others', async () => {
  const { h, feed } = await openFollowed();
  await revokeKeys(h, 1);
  const { id = '' } = await feed.until(({ event }) => event === 'change');
  const entry = (await h.ledger()).at(-1);
  const mark = id.slice(id.indexOf('-') + 1);
  expect([mark.length, entry?.id.replaceAll('-', '')]).toEqual([
    8,
    expect.not.stringContaining(mark),
  ]);
});
