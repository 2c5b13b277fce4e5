import { availableParallelism, loadavg } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { Command, Option } from 'commander';
import { Pool } from 'undici';
import type { Demo } from '../db/demo.ts';
import { wholeNumber } from '../src/commands/arguments.ts';
import type { Status } from '../src/verifier/index.ts';
import type { ApiGiven, ApiStarted } from './api.ts';
import { type Percentiles, percentilesOf } from './percentiles.ts';
import { openProcesses, type Processes } from './processes.ts';

interface Options {
  readonly count: number;
  readonly points: number;
  readonly concurrency: number;
  readonly rate: number;
  readonly json?: boolean;
}

/** An API with an enforcement point of its own, and what was measured there. */
interface Point {
  readonly name: string;
  readonly pool: Pool;
  readonly times: number[];
  /** Revocations that its very first answer refused. */
  refusedAtOnce: number;
  /** Requests that were let in after the REST answer, before the first that was refused. */
  acceptedBefore: number;
  /** Those let in after one that was refused. */
  acceptedAfter: number;
  /** Those answered with 503: neither let in nor refused, so they end no measurement. */
  unanswered: number;
}

type Key = Demo['apiKey'][number];

/** Connections to each server. */
const CONNECTIONS = 32;
const WARMED_AT_ONCE = 8;

new Command('bench:time-to-effect')
  .description(
    'Measures the time from the REST answer of a revocation to the refusal at every enforcement point, by real requests.',
  )
  .addOption(number('--count <n>', 'API keys that are revoked', 10_000, 100_000))
  .addOption(number('--points <n>', 'APIs, each a process with a verifier', 3, 32))
  .addOption(number('--concurrency <n>', 'revocations that are measured at once', 16, 1_000))
  .addOption(number('--rate <n>', 'revocations begun per second, at the most', 150, 100_000))
  .option('--json', 'print JSON')
  .action(async (options: Options) => {
    const processes = openProcesses();
    process.once('exit', processes.end);
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.once(signal, () => process.exit(1));
    try {
      const result = await measure(processes, options);
      process.stdout.write(options.json ? `${JSON.stringify(result)}\n` : text(options, result));
      process.exitCode = result.acceptedAfter === 0 ? 0 : 1;
    } finally {
      processes.end();
    }
  })
  .parseAsync()
  .catch((error: unknown) => {
    process.stderr.write(`${(error as Error).stack}\n`);
    process.exit(1);
  });

function number(flags: string, description: string, value: number, most: number): Option {
  return new Option(flags, description).argParser(wholeNumber(1, most)).default(value);
}

async function measure(processes: Processes, options: Options) {
  const loadBefore = loadavg()[0] ?? 0;
  const { url, demo } = await processes.gateway(options.count);
  const gateway = new Pool(url, { connections: CONNECTIONS });
  const admin = `Bearer ${demo.callers.admin}`;
  const points: Point[] = [];
  for (let i = 1; i <= options.points; i++) {
    const token = await makePoint(gateway, admin, `api-${i}`);
    const given: ApiGiven = { url, token, cacheMax: 2 * options.count };
    const api = await processes.start<ApiStarted>('api.ts', given);
    points.push({
      ...{ name: `api-${i}`, pool: new Pool(api.url, { connections: CONNECTIONS }) },
      ...{ times: [], refusedAtOnce: 0, acceptedBefore: 0, acceptedAfter: 0, unanswered: 0 },
    });
  }
  await Promise.all(points.map((point) => warm(point, demo.apiKey)));

  const everywhere: number[] = [];
  const restTimes: number[] = [];
  const begunAt = performance.now();
  await each(demo.apiKey, options, async ({ applicationId, keyId, key }) => {
    const askedAt = performance.now();
    const path = `/api/v1/applications/${applicationId}/api-keys/${keyId}`;
    const headers = { authorization: admin };
    const { statusCode, body } = await gateway.request({ method: 'DELETE', path, headers });
    const answeredAt = performance.now();
    await body.dump();
    if (statusCode !== 200) throw new Error(`A revocation was answered with ${statusCode}`);
    restTimes.push(answeredAt - askedAt);
    const times = points.map((point) => refusedAfter(point, key, answeredAt));
    everywhere.push(Math.max(...(await Promise.all(times))));
  });
  const tookS = (performance.now() - begunAt) / 1000;

  await Promise.all(points.map((point) => lookAgain(point, demo.apiKey)));
  const statuses = await Promise.all(points.map(statusOf));
  return {
    revocations: options.count,
    perSecond: Math.round(options.count / tookS),
    everywhere: percentilesOf(everywhere),
    points: points.map(({ pool: _pool, times, ...point }, i) => ({
      ...point,
      ...percentilesOf(times),
      reconnects: statuses[i]?.reconnects,
    })),
    rest: percentilesOf(restTimes),
    acceptedAfter: points.reduce((sum, { acceptedAfter }) => sum + acceptedAfter, 0),
    machine: { node: process.version, cores: availableParallelism(), loadBefore },
  };
}

async function makePoint(gateway: Pool, admin: string, name: string): Promise<string> {
  const { body } = await gateway.request({
    ...{ method: 'POST', path: '/graphql' },
    headers: { authorization: admin, 'content-type': 'application/json' },
    body: JSON.stringify({
      query: `mutation M($name: String!) {
        made: createEnforcementPoint(input: { name: $name }) {
          ... on CreateEnforcementPointSuccess { secret }
          ... on Error { message }
        }
      }`,
      variables: { name },
    }),
  });
  const answer = (await body.json()) as { data?: { made: { secret?: string } } };
  const secret = answer.data?.made.secret;
  if (secret === undefined) throw new Error(`No enforcement point: ${JSON.stringify(answer)}`);
  return secret;
}

/** Whether the API lets a key in; undefined where it cannot tell for now. */
async function answerTo({ pool, name }: Point, key: string): Promise<boolean | undefined> {
  const headers = { authorization: `Bearer ${key}` };
  const { statusCode, body } = await pool.request({ method: 'GET', path: '/', headers });
  const text = await body.text();
  if (statusCode === 503) return undefined;
  if (statusCode === 200 || statusCode === 401) return statusCode === 200;
  throw new Error(`${name} answers ${statusCode}: ${text}`);
}

async function statusOf({ pool }: Point): Promise<Status> {
  const { body } = await pool.request({ method: 'GET', path: '/status' });
  return (await body.json()) as Status;
}

/** Has every key accepted, and kept. */
async function warm(point: Point, keys: readonly Key[]): Promise<void> {
  await each(keys, { concurrency: WARMED_AT_ONCE }, async ({ key }) => {
    let accepted = await answerTo(point, key);
    // A gateway whose machine has other work answers late.
    while (accepted === undefined) accepted = await answerTo(point, key);
    if (!accepted) throw new Error(`${point.name} refuses a good key`);
  });
  const { cached } = await statusOf(point);
  if (cached !== keys.length) throw new Error(`${point.name} keeps ${cached} of ${keys.length}`);
}

/** Asks until it is refused; how long after the moment that was. */
async function refusedAfter(point: Point, key: string, answeredAt: number): Promise<number> {
  let accepted = 0;
  for (let answer = await answerTo(point, key); answer !== false; ) {
    if (answer === undefined) point.unanswered += 1;
    else accepted += 1;
    answer = await answerTo(point, key);
  }
  const tookMs = performance.now() - answeredAt;
  point.times.push(tookMs);
  point.acceptedBefore += accepted;
  if (accepted === 0) point.refusedAtOnce += 1;
  return tookMs;
}

/** What was refused stays refused. */
async function lookAgain(point: Point, keys: readonly Key[]): Promise<void> {
  await each(keys, { concurrency: CONNECTIONS }, async ({ key }) => {
    if (await answerTo(point, key)) point.acceptedAfter += 1;
  });
}

/** Does it with each, so many at once, and no more begun in a second than the rate. */
async function each<T>(
  all: readonly T[],
  { concurrency, rate }: { readonly concurrency: number; readonly rate?: number },
  act: (one: T) => Promise<void>,
): Promise<void> {
  const begunAt = performance.now();
  let next = 0;
  const work = async () => {
    while (next < all.length) {
      const i = next++;
      const waitMs = rate === undefined ? 0 : begunAt + (i * 1000) / rate - performance.now();
      if (waitMs > 0) await pause(waitMs);
      await act(all[i] as T);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
}

type Result = Awaited<ReturnType<typeof measure>>;

function text({ concurrency, rate }: Options, result: Result): string {
  const { machine, revocations } = result;
  const line = (name: string, { p50, p99, max }: Percentiles) =>
    `  ${name.padEnd(14)} p50 ${p50} ms   p99 ${p99} ms   max ${max} ms`;
  return [
    `${revocations} revocations, ${result.perSecond} per second (at most ${rate}, ${concurrency} at once); ` +
      `Node ${machine.node}, ${machine.cores} cores, load ${machine.loadBefore.toFixed(2)} before.`,
    'From the REST answer to a refusal, by requests over HTTP:',
    line('everywhere', result.everywhere),
    ...result.points.flatMap((point) => [
      line(point.name, point),
      `${' '.repeat(17)}refused on the first request: ${point.refusedAtOnce} of ${revocations}; accepted until then: ${point.acceptedBefore}; accepted afterwards: ${point.acceptedAfter}; 503: ${point.unanswered}`,
    ]),
    line('(REST answer)', result.rest),
    '',
  ].join('\n');
}
