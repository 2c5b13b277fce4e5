import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import type { Demo } from '../db/demo.ts';
import { credentials } from '../src/credentials/kinds.ts';
import { schemaOf } from '../src/graphql/schema.ts';
import { canariesIn } from './canaries.ts';
import { type Carrying, graphqlCarrying, restCarrying, type World } from './canary-requests.ts';
import { collect } from './collector.ts';
import { engine, past } from './engine.ts';
import { fieldsWithArguments } from './graphql-shapes.ts';
import { makeKey, trusting } from './issuers.ts';
import { listen } from './loopback.ts';
import type { OpenapiDocument } from './openapi.ts';
import { gatewayJson, newFolder, type Settings, serve, settingsIn } from './processes.ts';
import { until } from './targets.ts';

/** Secrets that were pasted anywhere are nowhere afterwards: not in the log, on disk, or with others. */

interface Gateway {
  readonly url: string;
  readonly admin: string;
}

/** Asks for a mutation, and takes from its answer what is named `made` and `secret`. */
async function make({ url, admin }: Gateway, mutation: string, input: object, asked: string) {
  const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}`;
  const query = `mutation ($input: ${type}Input!) {
    r: ${mutation}(input: $input) { ... on ${type}Success { ${asked} } ... on Error { code } } }`;
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { authorization: `Bearer ${admin}`, 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables: { input } }),
  });
  const { data } = (await response.json()) as {
    data: { r: { made: { id: string }; secret: string; code?: string } };
  };
  expect([mutation, data.r.code]).toEqual([mutation, undefined]);
  return { id: data.r.made.id, secret: data.r.secret };
}

/** Everything that the requests name and the demo has not; and who is told of what they do. */
async function arrange(gateway: Gateway, demo: Demo, receiver: string) {
  const { projectName } = demo.jwkValidation[0] ?? {};
  const hook = { name: 'hook', url: receiver };
  const webhook = await make(gateway, 'createWebhook', hook, 'made: webhook { id } secret');
  const live = { projectName, name: 'live', url: receiver };
  await make(gateway, 'createEnvironment', live, 'made: environment { id } secret');
  const edge = { name: 'edge' };
  const point = await make(
    gateway,
    'createEnforcementPoint',
    edge,
    'made: enforcementPoint { id } secret',
  );
  const pat = { name: 'pat', permissions: ['ledger:read'] };
  const personal = await make(
    gateway,
    'createPersonalAccessToken',
    pat,
    'made: personalAccessToken { id } secret',
  );
  return {
    point: point.secret,
    made: { targetId: webhook.id, personalAccessTokenId: personal.id, revocationId: personal.id },
  };
}

const SECRETS = /\b(?:rgw_[a-z]+_|ksh_|whsec_)[\w+/=-]{20,}|\beyJ[\w-]+\.[\w-]+\.[\w-]+/g;
const PRIVATE_PARTS = /(?<=\\"d\\":\\")[\w-]{40,}/g;

/** Sends all, some at once; the secrets that were answered, which are for whoever asked alone. */
async function sendAll(url: string, requests: readonly Carrying[]): Promise<Set<string>> {
  const given = new Set<string>();
  const left = requests.values();
  const work = async () => {
    for (const { method, path, headers, body = '', canary } of left) {
      const response = await fetch(url + path, {
        ...{ method, headers, redirect: 'manual', signal: AbortSignal.timeout(10_000) },
        ...(method !== 'GET' && { body }),
      });
      expect([canary, response.status < 500]).toEqual([canary, true]);
      if (response.headers.get('content-type')?.startsWith('text/event-stream')) {
        await response.body?.cancel();
        continue;
      }
      const answer = await response.text();
      for (const [secret] of answer.matchAll(SECRETS))
        if (!body.includes(secret)) given.add(secret);
      for (const [part] of answer.matchAll(PRIVATE_PARTS)) given.add(part);
    }
  };
  await Promise.all(Array.from({ length: 8 }, work));
  return given;
}

/** The bytes of the database, with what is left in its logs of changes. */
async function filesOf(folder: string): Promise<Buffer> {
  if (engine === 'sqlite') {
    return Buffer.concat(
      ['gateway.db', 'gateway.db-wal'].map((name) => readFileSync(join(folder, name))),
    );
  }
  const other = await past(folder);
  await other.all('checkpoint');
  const [row] = await other.all<{ oid: number }>(
    'select oid from pg_database where datname = current_database()',
  );
  const folders = [`base/${row?.oid}`, 'pg_wal'].map((name) =>
    join(inject('postgresData') ?? '', name),
  );
  const files = folders.flatMap((within) =>
    readdirSync(within, { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => readFileSync(join(within, name))),
  );
  return Buffer.concat(files);
}

/** What the feed tells for as long as it is not closed. */
async function follow(url: string, token: string) {
  const closing = new AbortController();
  const response = await fetch(`${url}/feed`, {
    headers: { authorization: `Bearer ${token}` },
    signal: closing.signal,
  });
  expect(response.status).toBe(200);
  let text = '';
  const read = async () => {
    for await (const chunk of response.body ?? []) text += Buffer.from(chunk).toString();
  };
  read().catch(() => undefined);
  return { text: () => text, close: () => closing.abort() };
}

/** Every list that there is, as a caller is shown its first page. */
async function shownTo(url: string, token: string): Promise<string> {
  const shown: string[] = [];
  for (const { name, document } of fieldsWithArguments(schemaOf(credentials))) {
    if (/^(?:Mutation|Subscription)/.test(name)) continue;
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        query: document,
        variables: { first: 100, id: crypto.randomUUID() },
      }),
    });
    shown.push(await response.text());
  }
  return shown.join('\n');
}

test('a secret that is sent where none belongs is kept nowhere, and told to nobody', {
  timeout: 240_000,
}, async () => {
  const folder = newFolder();
  const collector = await collect();
  const receiver = await listen((response) => response.end());
  const { trustedIssuers } = trusting({ keys: [(await makeKey()).jwk] });
  const env: Settings = {
    ...settingsIn(folder),
    ...{ LOG_LEVEL: 'trace', METRICS_PORT: '0', OUTBOUND_ALLOW: '127.0.0.0/8' },
    ...{ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' },
    TRUSTED_ISSUERS: JSON.stringify(trustedIssuers),
  };
  const demo = await gatewayJson<Demo>(env, 'demo', '--count', '50');
  const served = await serve(env);
  const { url } = served;
  const metricsUrl = /Metrics: +(\S+)/.exec(served.output())?.[1] ?? '';
  const gateway = { url, admin: demo.callers.personalAccessToken };
  const { point, made } = await arrange(gateway, demo, receiver.url);
  const feed = await follow(url, point);
  const document = (await (await fetch(`${url}/openapi.json`)).json()) as OpenapiDocument;

  const issuer = trustedIssuers[0]?.issuer ?? '';
  const world: World = { demo, receiver: receiver.url, issuer, made };
  const authorization = `Bearer ${gateway.admin}`;
  const requests = [
    ...graphqlCarrying(world, authorization),
    ...restCarrying(world, document, authorization),
  ];
  const given = await sendAll(url, requests);
  expect(given.size).toBeGreaterThan(100);
  // What is no secret is there: what is looked through is the right thing.
  const CONTROL = 'a comment like any other';
  const key = { ...demo.apiKey.at(-1), key: undefined };
  const revoked = { ...key, comment: CONTROL };
  await make(gateway, 'revokeApiKey', revoked, 'made: revocation { id }');

  const onDisk = await filesOf(folder);
  await until(() => expect(JSON.stringify(receiver.received)).toContain(CONTROL));
  const metrics = await (await fetch(metricsUrl)).text();
  const others = await Promise.all(
    [demo.callers.viewer, demo.callers.outsider, demo.callers.admin].map((token) =>
      shownTo(url, token),
    ),
  );
  feed.close();
  served.kill('SIGTERM');
  const { code, stdout, stderr } = await served.ended;
  expect(code).toBe(0);
  const places: Record<string, string | Buffer> = {
    ...{ log: stdout, 'standard error': stderr, 'the database': onDisk, metrics },
    'what others are shown': others.join(),
    'the feed': feed.text(),
    'webhooks and environments': JSON.stringify(receiver.received),
    traces: JSON.stringify(collector.received),
  };
  const known = {
    ...{ log: '"msg":"answered"', 'standard error': '', 'the database': CONTROL },
    ...{ metrics: 'gateway_http_requests_total{', 'the feed': 'event: change' },
    ...{ 'what others are shown': CONTROL, 'webhooks and environments': CONTROL },
    traces: 'POST /graphql',
  };
  for (const [name, all] of Object.entries(places)) {
    const text = typeof all === 'string' ? all : all.toString('latin1');
    expect([name, text.includes(known[name as keyof typeof known])]).toEqual([name, true]);
    expect([name, canariesIn(text)]).toEqual([name, []]);
    const told = [...given].filter((secret) => text.includes(secret));
    expect([name, told]).toEqual([name, []]);
  }
});
