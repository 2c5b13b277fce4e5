import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { credentials } from '../src/credentials/kinds.ts';
import type { Answer } from './harness.ts';
import { compilerOf, describeAll, misfit, type Place, placesIn, responseIn } from './openapi.ts';
import { askAll, followFeed, openBroken, openDemo, send, tokenWith } from './openapi-requests.ts';
import { root } from './processes.ts';

/** The document is true: real answers are as it describes them, and each that it describes is given. */

const document = describeAll();
const places = placesIn(document);

/** What needs more than the demo has: a JWT of an issuer outside, an enforcement point. */
const needy = new Set(['loginWithJwtAuth', 'followFeed', 'acknowledge']);

/** What other tests prove, here and in test/openapi-unavailable.sqlite.test.ts. */
const elsewhere = new Set([429, 503]);

test.each(places.map((at) => [`${at.method} ${at.path}`, at] as const))(
  '%s answers as described, in every way',
  async (_what, at) => {
    const h = await openDemo();
    const answers: Answer[] = [];
    for await (const answer of askAll(h, at)) answers.push(answer);
    const described = Object.keys(at.responses).map(Number);
    // In the demo an example works as it stands there.
    if (!needy.has(at.operationId)) expect(answers[0]?.status).toBe(Math.min(...described));
    if (at.path === '/feed') answers.push(await followFeed(h, at));
    // Of its own, since whether a gateway is ready is kept for a while.
    answers.push(await send(await openBroken(), at));
    const wrong = answers.map((answer) => misfit(document, at, answer));
    expect(wrong.filter((text) => text !== '')).toEqual([]);
    for (const { status, body } of answers) {
      if (status >= 400 && worded.has(at.tags[0] ?? '')) {
        expect(examplesOf(at, status)).toContain(masked(body));
      }
    }
    const seen = new Set(answers.map(({ status }) => status));
    expect(described.filter((status) => !elsewhere.has(status) && !seen.has(status))).toEqual([]);
  },
);

test('in production GraphQL is asked by POST, and subscribed to by GET, as described', async () => {
  const inProduction = describeAll({ profile: 'production' });
  const h = await openDemo({ profile: 'production' });
  for (const at of placesIn(inProduction).filter(({ path }) => path === '/graphql')) {
    for await (const answer of askAll(h, at)) expect(misfit(inProduction, at, answer)).toBe('');
  }
});

test('whoever asks too much is told so as described', async () => {
  const wide = { caller: 1_000, login: 1_000, introspection: 1_000, failures: 1_000 };
  const h = await openDemo({ rateLimits: { ...wide, address: 1 } });
  for (const at of places) {
    const statuses = new Set<number>();
    for (let i = 0; i < 3; i++) {
      // Without a token, so that a stream is not begun.
      const answer = await send(h, at, { authorization: undefined });
      expect([at.operationId, misfit(document, at, answer)]).toEqual([at.operationId, '']);
      statuses.add(answer.status);
    }
    expect([at.operationId, statuses.has(429)]).toEqual([at.operationId, '429' in at.responses]);
  }
});

test('the events of the feed carry what is described', async () => {
  const feed = places.find(({ path }) => path === '/feed');
  if (feed === undefined) throw new Error('The feed is not described');
  const { body } = await followFeed(await openDemo(), feed);
  const seen = [...body.matchAll(/^event: (\w+)\n(?:id: .+\n)?data: (.+)\n\n/gm)].map(
    ([, event = '', data = '']) => {
      const schema = {
        $ref: `#/components/schemas/Feed${event[0]?.toUpperCase()}${event.slice(1)}`,
      };
      expect([event, compilerOf(document)(schema)(JSON.parse(data))]).toEqual([event, '']);
      return event;
    },
  );
  expect(new Set(seen)).toEqual(new Set(['snapshot', 'position', 'change']));
});

const limited = places.flatMap((at) => {
  const needed = at.security[0]?.bearer ?? [];
  return needed.length > 0 ? [[at.operationId, at, needed] as const] : [];
});

test.each(limited)('%s needs the permissions that it names, and no other', async (_id, at, all) => {
  const h = await openDemo();
  // A scope that is given needs what it allows.
  const body = at.operationId === 'createServiceAccountToken' && { name: 'a token', scopes: [] };
  const as = async (permissions: readonly string[]) => {
    const authorization = `Bearer ${await tokenWith(h, permissions)}`;
    return (await send(h, at, { authorization, ...(body && { body }) })).status;
  };
  for (const one of all) {
    const others = all.filter((each) => each !== one);
    expect(await as(['ledger:read', ...others])).toBe(403);
  }
  expect(await as(all)).toBeLessThan(300);
});

/** Answers that belong to no operation. */
const others = new Set(['options', 'unknown-path', 'wrong-method']);

/** Whose words are the same in every case. */
const worded = new Set(['OAuth', 'Feed', 'Gateway']);

const examplesOf = (at: Place, status: number) =>
  Object.values(responseIn(document, at, status)?.content ?? {})
    .flatMap(({ examples }) => Object.values(examples))
    .map(({ value }) => masked(JSON.stringify(value)));

/** Ids and names are those of one case; a pattern stands for them. */
const masked = (body: string) =>
  body
    .replace(/req-\w+/g, 'REQUEST')
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g, 'ID')
    .replace(
      /\b(?:(?:service-account|token|project|username)-\d+|nobody|nothing|bare|keyless|a%00b)\b/g,
      'NAME',
    );

describe.each(
  credentials.flatMap(({ graph, rest }) =>
    rest === undefined ? [] : [[graph.kind, rest] as const],
  ),
)('%s: what its clients see', (kind, { described }) => {
  const folder = join(root, 'test/golden', kind);
  const at = places.find(({ operationId }) => operationId === described.operationId);
  const files = readdirSync(folder).filter((file) => !others.has(file.replace('.http', '')));

  test.each(files)('%s is as described, and each no is an example', (file) => {
    const [head = '', ...rest] = readFileSync(join(folder, file), 'utf8').split('\n\n');
    const [line = '', ...fields] = head.split('\n');
    const headers = Object.fromEntries(fields.map((field) => field.split(/: (.*)/s).slice(0, 2)));
    const status = Number(line.split(' ')[1]);
    const body = rest.join('\n\n');
    if (at === undefined) throw new Error(`${described.operationId} is not described`);
    expect(misfit(document, at, { status, headers, body })).toBe('');
    if (status < 400) return;
    expect(examplesOf(at, status)).toContain(masked(body));
  });
});
