import { describe, expect, test, vi } from 'vitest';
import { FEED_HEARTBEAT_MS, FEED_STALLED_MS } from '../src/feed/follow.ts';
import { FEED_STREAMS_MAX } from '../src/feed/mount.ts';
import { EXPIRED_TOLD_MS, SNAPSHOT_IDS_MAX } from '../src/feed/snapshot.ts';
import { TAIL_POLL_MS } from '../src/ledger-tail.ts';
import { blocks, page } from './markdown.ts';
import { atUrl, paste, ways } from './pasting.ts';
import { launch, newFolder, serve, settingsIn } from './processes.ts';

/** docs/enforcement-points.md: what can be pasted is run, and what it says is so. */

const text = page('docs/enforcement-points.md');
const [making, made, following, revoking, printed, acknowledging, ...more] = blocks(text).map(
  ({ code }) => code,
);

/** Without what the page says comes again and again, and with no time in it. */
const settled = (output: string) => {
  const events = output
    .replace(/"(now|at)":\d{13}/g, '"$1":MILLISECONDS')
    .replace(/^(id: \d+)-[\w-]{8}$/gm, '$1-MARK')
    .replace(/"keys":\["[\w-]{43}"\]/g, '"keys":["KID"]')
    .split(/(?<=\n\n)/);
  return events.filter((event, i) => events.indexOf(event) === i).join('');
};

describe.each(ways)('%s', (_way, given) => {
  test('a point is made, follows and acknowledges, as printed', async () => {
    expect(more).toEqual([]);
    const settings = given(settingsIn(newFolder()));
    const { url } = await serve(settings, 'demo');
    const answer = await paste(making ?? '', url, settings);
    const token = /rgw_ep_[\w-]+/.exec(answer)?.[0] ?? '';
    expect(answer.replace(token, 'POINT_TOKEN')).toBe(made?.trimEnd());
    const as = (code = '') => code.replace('POINT_TOKEN', token);

    const { output, child, ended } = launch(
      'sh',
      ['-c', `exec ${atUrl(as(following), url)}`],
      settings,
    );
    await vi.waitUntil(() => output.stdout.includes('event: position'), { timeout: 10_000 });
    await paste(revoking ?? '', url, settings);
    await vi.waitUntil(() => output.stdout.includes('"api-key"}\n\n'), { timeout: 10_000 });
    child.kill('SIGTERM');
    const told = (await ended).stdout;
    expect(settled(told.slice(0, told.indexOf('"api-key"}\n\n') + 12))).toBe(printed);
    expect(await paste(as(acknowledging), url, settings)).toBe('');
  });
});

test('the limits are as the page says', () => {
  expect(text).toContain(`at least every ${FEED_HEARTBEAT_MS} ms`);
  expect(text).toContain(`at most ${SNAPSHOT_IDS_MAX.toLocaleString('en')} ids`);
  expect(text).toContain(`for more than ${EXPIRED_TOLD_MS / 60_000} min`);
  expect(text).toContain(`${FEED_STREAMS_MAX} streams`);
  expect(text).toContain(`nothing for ${FEED_STALLED_MS / 1_000} s`);
  expect(text).toContain(`up to ${TAIL_POLL_MS} ms more`);
});
