import type { InjectOptions } from 'fastify';
import { expect, onTestFinished, test } from 'vitest';
import { createServer } from '../src/server.ts';
import { newRequestId } from '../src/start.ts';
import { type Requested, requestsOf } from './graphql-requests.ts';
import { type Harness, openGateway } from './harness.ts';

/** GraphQL has a short path beside Yoga: what is answered is the same to the byte. */

async function answers(h: Harness, [, body, more = {}]: Requested) {
  const response = await h.app.inject({
    method: 'POST',
    url: '/graphql',
    ...more,
    headers: {
      authorization: `Bearer ${h.demo.callers.admin}`,
      'content-type': 'application/json',
      ...more.headers,
    },
    payload: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
  });
  const { date: _date, ...headers } = response.headers;
  return { status: response.statusCode, headers, body: response.body };
}

/** The rows, but for what a chance secret leaves in them. */
const rowsOf = async (h: Harness) => (await h.rows()).map((row) => ({ ...row, secret_hash: null }));

test.each(['development', 'production'] as const)(
  'in %s every request is answered alike, and leaves the same behind',
  async (profile) => {
    const options = { fixed: true, config: { profile } };
    const short = await openGateway(options);
    const long = await openGateway({ ...options, shortPath: false });
    const requests = requestsOf(short.demo);
    expect(new Set(requests.map(([name]) => name)).size).toBe(requests.length);
    const statuses = new Map<number, number>();
    for (const request of requests) {
      const [taken, answered] = [await answers(short, request), await answers(long, request)];
      expect(taken, `a request that ${request[0]}`).toEqual(answered);
      statuses.set(taken.status, (statuses.get(taken.status) ?? 0) + 1);
    }
    expect([...statuses.keys()].sort()).toEqual([200, 400, 404, 406, 415]);
    expect(await short.ledger()).toEqual(await long.ledger());
    expect(await rowsOf(short)).toEqual(await rowsOf(long));
    expect('taken' in globalThis).toBe(false);
  },
);

const SHORT = 'src/graphql/short-path.ts';
const YOGA = 'node_modules/graphql-yoga/';
const post = (query: string, more: InjectOptions = {}): InjectOptions => ({
  ...{ method: 'POST', url: '/graphql', ...more },
  headers: { 'content-type': 'application/json', ...more.headers },
  payload: { query },
});
const accepting = (accept: string) => ({ headers: { accept } });

test.each<[string, string, InjectOptions, { shortPath?: boolean }?]>([
  ['a query', SHORT, post('{ me { name } }')],
  ['a mutation', SHORT, post('mutation { __typename }')],
  ['a URL with a query', SHORT, post('{ me { name } }', { url: '/graphql?op=Me' })],
  [
    'the newer type',
    SHORT,
    post('{ me { name } }', accepting('application/graphql-response+json')),
  ],
  [
    'one of several types',
    SHORT,
    post('{ me { name } }', accepting('text/html, application/json')),
  ],
  [
    'what ends in an error',
    SHORT,
    post('query ($a: String!) { me { ledger(after: $a) { __typename } } }'),
  ],
  ['a query in a URL', YOGA, { url: '/graphql?query={me{name}}' }],
  ['an event stream', YOGA, post('{ me { name } }', accepting('text/event-stream'))],
  ['parts', YOGA, post('{ me { name } }', accepting('multipart/mixed'))],
  ['what nobody accepts', YOGA, post('{ me { name } }', accepting('text/plain'))],
  ['a subscription', YOGA, post('subscription { revocations { cursor } }')],
  ['everything, if it is said', YOGA, post('{ me { name } }'), { shortPath: false }],
])('%s is carried out once, by %s', async (_what, place, request, options = {}) => {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 100;
  onTestFinished(() => {
    Error.stackTraceLimit = stackTraceLimit;
  });
  const h = await openGateway();
  const stacks: (string | undefined)[] = [];
  const { gateway } = h.running;
  const authenticate: typeof gateway.authenticate = (...given) => {
    stacks.push(new Error('asked').stack);
    return gateway.authenticate(...given);
  };
  const app = createServer({
    ...{ profile: 'development', newRequestId, ...options },
    gateway: { ...gateway, authenticate },
  });
  onTestFinished(() => app.close());
  await app.inject(request);
  const other = place === SHORT ? YOGA : SHORT;
  expect(stacks).toEqual([expect.stringContaining(place)]);
  expect(stacks[0]).not.toContain(other);
});
