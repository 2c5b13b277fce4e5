import type { GraphQLEnumType } from 'graphql';
import { expect, test } from 'vitest';
import { credentials } from '../src/credentials/kinds.ts';
import { eventTypes } from '../src/delivery/events.ts';
import { MESSAGE_TIMEOUT_MS } from '../src/delivery/message.ts';
import { ATTEMPTS_MAX, retryDelayMs } from '../src/delivery/retry.ts';
import type { WebhookMessage } from '../src/delivery/webhook.ts';
import { buildSchema } from '../src/graphql/schema.ts';
import { OVERLAP_DEFAULT_S, OVERLAP_MAX_S } from '../src/targets/rotate-secret.ts';
import { openGateway } from './harness.ts';
import { listen } from './loopback.ts';
import { blocks, page, quoted, rows, section } from './markdown.ts';
import { paste } from './pasting.ts';
import { launch, newFolder, root, serve, settingsIn } from './processes.ts';
import { until } from './targets.ts';

/** docs/webhooks.md: what can be pasted is run, and what it says is so. */

const text = page('docs/webhooks.md');
const shown = blocks(text).filter(({ language }) => language !== 'graphql');
const [make, made, receiver, testing, tested, revoke, printed, ...more] = shown;

/** What differs from one time to the next. */
const asPrinted = ({ timestamp, data, ...others }: WebhookMessage) => ({
  ...others,
  timestamp: typeof timestamp,
  data: { ...data, seq: typeof data.seq, id: typeof data.id, requestId: typeof data.requestId },
});

test('a webhook is made, verifies what it is told, and prints it as on the page', async () => {
  expect(more).toEqual([]);
  const settings = settingsIn(newFolder());
  const { url } = await serve(settings, 'demo');
  const free = await listen(() => undefined);
  const { port } = free;
  await free.close();
  const here = (code = '') => code.replace('127.0.0.1:9000', `127.0.0.1:${port}`);

  const answer = await paste(here(make?.code), url, settings);
  const { webhook, secret } = JSON.parse(answer).data.createWebhook;
  expect(answer.replace(webhook.id, 'WEBHOOK_ID').replace(secret, 'WEBHOOK_SECRET')).toBe(
    made?.code.trimEnd(),
  );

  const env = { ...settings, WEBHOOK_SECRET: secret, PORT: String(port) };
  const program = ['--input-type=module', '-e', receiver?.code ?? ''];
  const { output } = launch(process.execPath, program, env, root);
  await until(() => fetch(`http://127.0.0.1:${port}/`, { method: 'POST' }));
  const asked = testing?.code.replace('WEBHOOK_ID', webhook.id) ?? '';
  expect(await paste(asked, url, settings)).toBe(tested?.code.trimEnd());
  const first = output.stdout;
  expect(JSON.parse(first)).toMatchObject({ type: 'webhook.test' });

  expect(await paste(revoke?.code ?? '', url, settings)).toBe('{}');
  const message = await until(() => JSON.parse(output.stdout.slice(first.length)));
  expect(asPrinted(message)).toEqual(asPrinted(JSON.parse(printed?.code ?? '')));
  expect(Object.keys(message.data)).toEqual(Object.keys(JSON.parse(printed?.code ?? '').data));
  expect(message.data.seq).toBe(JSON.parse(printed?.code ?? '').data.seq);

  const members = rows(section(text, '## Verify and acknowledge')).flatMap(([name = '']) =>
    quoted(name),
  );
  expect(members).toEqual(Object.keys(message.data));
});

test('every event is in the table, and every value that asks for one', () => {
  const table = rows(section(text, '## Make one'));
  expect(table.map(([type = '']) => quoted(type)[0])).toEqual([...eventTypes]);
  const values = buildSchema(credentials).getType('WebhookEvent') as GraphQLEnumType;
  expect(table.flatMap(([, value = '']) => quoted(value))).toEqual(
    values.getValues().map(({ name }) => name),
  );
});

test('every state is in the table, and the query that shows it is answered', async () => {
  const table = rows(section(text, '## When one fails'));
  const states = buildSchema(credentials).getType('TargetState') as GraphQLEnumType;
  expect(table.map(([state = '']) => quoted(state)[0])).toEqual(
    states.getValues().map(({ name }) => name),
  );
  const query = blocks(text).find(({ language }) => language === 'graphql')?.code ?? '';
  const environments = [{ name: 'production', url: 'http://127.0.0.1:8/' }];
  const h = await openGateway({ environments });
  const { data, errors } = await h.graphql<{ me: { targets: { edges: object[] } } }>(
    query,
    {},
    h.demo.callers.admin,
  );
  expect(errors).toBeUndefined();
  expect(data.me.targets.edges.length).toBeGreaterThan(0);
});

test('times and numbers are those of the code', () => {
  expect(text).toContain(`within ${MESSAGE_TIMEOUT_MS / 1000} s`);
  const [least, most] = [0, 1].map((random) =>
    Array.from({ length: ATTEMPTS_MAX - 1 }, (_, i) => retryDelayMs(i + 1, random)).reduce(
      (sum, ms) => sum + ms / 3_600_000,
      0,
    ),
  );
  expect([Math.round(Number(least)), Math.round(Number(most))]).toEqual([6, 12]);
  expect(text).toContain(`After ${ATTEMPTS_MAX} attempts, some 6 to 12 h,`);
  expect([OVERLAP_DEFAULT_S, OVERLAP_MAX_S]).toEqual([86_400, 30 * 86_400]);
  expect(text).toContain('(a day unless said, 30 days at the most)');
});
