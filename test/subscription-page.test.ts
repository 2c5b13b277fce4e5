import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import type { Demo } from '../db/demo.ts';
import { credentials } from '../src/credentials/kinds.ts';
import { buildSchema } from '../src/graphql/schema.ts';
import { SUBSCRIPTIONS_MAX, UNREAD_MS } from '../src/graphql/subscription.ts';
import { blocks, column, page, quoted, section } from './markdown.ts';
import { atUrl, paste, ways } from './pasting.ts';
import { gatewayJson, launch, newFolder, root, serve, settingsIn } from './processes.ts';
import { revokeKey } from './subscribers.ts';

/** docs/subscription.md: what can be pasted is run, and what it says is so. */

const text = page('docs/subscription.md');
const [subscribing, revoking, printed, bot, ...more] = blocks(text);

describe.each(ways)('%s', (_way, given) => {
  test('the subscription to the demo prints what the page says', async () => {
    expect(more).toEqual([]);
    const settings = given(settingsIn(newFolder()));
    const { url } = await serve(settings, 'demo');
    const script = `exec ${atUrl(subscribing?.code ?? '', url)}`;
    const { output, child, ended } = launch('sh', ['-c', script], settings);
    await vi.waitUntil(() => output.stdout !== '', { timeout: 10_000 });
    await paste(revoking?.code ?? '', url, settings);
    await vi.waitUntil(() => output.stdout.endsWith('}\n\n'), { timeout: 10_000 });
    child.kill('SIGTERM');
    expect((await ended).stdout).toBe(printed?.code);
  });
});

test('the bot says what is revoked, and goes on where it was', async () => {
  const folder = newFolder();
  const settings = settingsIn(folder);
  const demo = await gatewayJson<Demo>(settings, 'demo', '--count', '3');
  const { url } = await serve(settings);
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  writeFileSync(join(folder, 'bot.mjs'), atUrl(bot?.code ?? '', url));
  const env = { ...settings, TOKEN: demo.callers.personalAccessToken };
  const actor = 'admin';
  const targets = [await revokeKey(url, demo, 0)];
  for (const expected of [[0, 1], [2]]) {
    const { output, child } = launch(process.execPath, ['bot.mjs'], env, folder);
    targets.push(await revokeKey(url, demo, targets.length));
    const lines = expected.map((i) => `${JSON.stringify({ target: targets[i], actor })}\n`);
    await vi.waitUntil(() => output.stdout.length >= lines.join('').length, { timeout: 10_000 });
    child.kill('SIGKILL');
    expect(output).toEqual({ stdout: lines.join(''), stderr: '' });
  }
});

test('the page names every argument, and the limits as they are', () => {
  const field = buildSchema(credentials).getSubscriptionType()?.getFields().revocations;
  const told = column(section(text, '## What is told'), 0).flatMap(quoted);
  expect(told).toEqual(field?.args.map(({ name }) => name));
  expect(text).toContain(`${SUBSCRIPTIONS_MAX} subscriptions`);
  expect(text).toContain(`nothing for ${UNREAD_MS / 1_000} s`);
});
