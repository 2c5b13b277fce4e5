import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance, InjectOptions } from 'fastify';
import { onTestFinished } from 'vitest';
import { type Demo, type DemoOptions, fillDemo } from '../db/demo.ts';
import { fixedSource, randomSource } from '../db/demo-rows.ts';
import type { LedgerEntry, Revocable } from '../db/tables.ts';
import { type Config, readConfig } from '../src/config.ts';
import { createServer } from '../src/server.ts';
import { newRequestId, type Running, type StartOptions, start } from '../src/start.ts';
import { databaseIn } from './engine.ts';

/** A gateway on a database of its own, with demo data, spoken to as a client would. */
export interface Harness {
  readonly running: Running;
  readonly app: FastifyInstance;
  readonly demo: Demo;
  readonly folder: string;
  rest(method: string, path: string, token?: string, more?: InjectOptions): Promise<Answer>;
  graphql<T = Record<string, unknown>>(
    query: string,
    variables?: Record<string, unknown>,
    token?: string,
  ): Promise<GraphqlAnswer<T>>;
  row(id: string): Promise<Revocable>;
  rows(): Promise<Revocable[]>;
  ledger(): Promise<LedgerEntry[]>;
  close(): Promise<void>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | undefined>;
  readonly body: string;
}

export interface GraphqlAnswer<T> {
  readonly status: number;
  readonly data: T;
  readonly errors?: { message: string; extensions?: Record<string, unknown> }[];
}

export interface HarnessOptions extends StartOptions {
  readonly config?: Partial<Config>;
  readonly count?: number;
  readonly environments?: DemoOptions['environments'];
  /** The same ids, secrets, times and request ids in every run. */
  readonly fixed?: boolean;
  /** `false` has Yoga answer all of GraphQL. */
  readonly shortPath?: boolean;
  readonly connectionsPerAddressMax?: number;
}

/** A moment for tests in which nothing may differ between runs. */
export const FIXED_NOW_MS = Date.UTC(2026, 10, 21, 9, 0, 0);

export async function openGateway(options: HarnessOptions = {}): Promise<Harness> {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-test-'));
  const config: Config = {
    ...readConfig({}),
    databaseUrl: databaseIn(folder),
    secretKeyFile: join(folder, 'secret.key'),
    logLevel: 'silent',
    ...options.config,
  };
  const fixed = fixedSource();
  const running = await start(config, {
    ...(options.fixed ? { now: () => FIXED_NOW_MS, newId: fixed.newId } : {}),
    ...options,
  });
  const demo = await fillDemo(running, {
    count: options.count ?? 3,
    source: options.fixed ? fixed : randomSource(running.gateway.newId),
    environments: options.environments ?? [],
  });
  let requests = 0;
  const fixedRequestId = () => `req-${String(++requests).padStart(14, '0')}`;
  const app = createServer({
    ...config,
    gateway: running.gateway,
    newRequestId: options.fixed ? fixedRequestId : newRequestId,
    shortPath: options.shortPath,
    connectionsPerAddressMax: options.connectionsPerAddressMax,
  });
  await app.ready();

  let closed = false;
  const close = async () => {
    if (closed) return;
    closed = true;
    await app.close();
    await running.close();
    rmSync(folder, { recursive: true, force: true });
  };
  onTestFinished(close);

  const rest: Harness['rest'] = async (method, path, token, more = {}) => {
    const response = await app.inject({
      ...more,
      method: method as 'DELETE',
      url: path,
      headers: { ...bearer(token), ...more.headers },
    });
    return {
      status: response.statusCode,
      headers: response.headers as Answer['headers'],
      body: response.body,
    };
  };
  return {
    running,
    app,
    demo,
    folder,
    rest,
    close,
    graphql: async <T>(query: string, variables = {}, token?: string) => {
      const response = await app.inject({
        method: 'POST',
        url: '/graphql',
        headers: { 'content-type': 'application/json', ...bearer(token) },
        payload: JSON.stringify({ query, variables }),
      });
      return { status: response.statusCode, ...(response.json() as object) } as GraphqlAnswer<T>;
    },
    row: (id) =>
      running.database.reader
        .selectFrom('revocables')
        .selectAll()
        .where('id', '=', id)
        .executeTakeFirstOrThrow(),
    rows: () =>
      running.database.reader.selectFrom('revocables').selectAll().orderBy('id').execute(),
    ledger: () => running.database.reader.selectFrom('ledger').selectAll().orderBy('seq').execute(),
  };
}

const bearer = (token: string | undefined): Record<string, string> =>
  token === undefined ? {} : { authorization: `Bearer ${token}` };
