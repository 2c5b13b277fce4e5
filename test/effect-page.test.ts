import { describe, expect, test } from 'vitest';
import { IN_ORDER_ATTEMPTS_MAX, RETRY_MAX_MS } from '../src/delivery/open.ts';
import { ATTEMPTS_MAX, RETRY_FIRST_MS, retryDelayMs } from '../src/delivery/retry.ts';
import { blocks, page } from './markdown.ts';
import { paste, ways } from './pasting.ts';
import { newFolder, serve, settingsIn } from './processes.ts';

/** docs/effect.md: what can be pasted is run, and what it says is so. */

const text = page('docs/effect.md');
const [asking, answer, ...more] = blocks(text);

describe.each(ways)('%s', (_way, given) => {
  test('the demo answers what the page says', async () => {
    expect(more).toEqual([]);
    const settings = given(settingsIn(newFolder()));
    const { url } = await serve(settings, 'demo');
    expect((await paste(asking?.code ?? '', url, settings)).trim()).toBe(answer?.code.trim());
  });
});

test('what is tried again is tried when the page says', () => {
  expect(text).toContain(`After ${ATTEMPTS_MAX} attempts`);
  expect(text).toContain(`after ${RETRY_FIRST_MS / 1_000} s, then twice as long`);
  expect(text).toContain(`up to ${RETRY_MAX_MS / 60_000} min`);
  expect(text).toContain(`up to ${IN_ORDER_ATTEMPTS_MAX} attempts`);
  const bounds = [1, 2, 3, 24].map((n) => [retryDelayMs(n, 0), retryDelayMs(n, 1)]);
  expect(bounds).toEqual([
    [500, 1_000],
    [1_000, 2_000],
    [2_000, 4_000],
    [1_800_000, 3_600_000],
  ]);
});
