import { expect, test } from 'vitest';
import { type Collector, collect } from './collector.ts';
import type { HarnessOptions } from './harness.ts';
import { revokeMany } from './many.ts';
import { openObserved } from './observed.ts';
import { makeHook, mutate, until, untilAcknowledged } from './targets.ts';

/** What a collector is told of requests, and where it leads. */

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const callerSpan = '00f067aa0ba902b7';

async function openTraced(options: HarnessOptions = {}) {
  const collector = await collect();
  const observed = await openObserved({
    ...options,
    config: {
      otelExporterOtlpEndpoint: collector.url,
      otelExporterOtlpProtocol: 'http/json',
      ...options.config,
    },
  });
  return { collector, ...observed };
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

test('a revocation is followed from the caller to the webhook, and nothing secret is told', async () => {
  const { h, url, collector, flush } = await openTraced();
  const hook = await makeHook(h, 'hook');
  const { applicationId, keyId } = h.demo.apiKey[0] ?? {};
  const path = `/api/v1/applications/${applicationId}/api-keys/${keyId}`;
  const response = await fetch(`${url}${path}?token=${h.demo.apiKey[1]?.key}`, {
    method: 'DELETE',
    headers: {
      ...bearer(h.demo.callers.admin),
      ...{ traceparent: `00-${traceId}-${callerSpan}-01`, tracestate: 'vendor=secret' },
    },
  });
  expect(response.status).toBe(200);
  await untilAcknowledged(h, hook, 1);
  await until(() => expect(hook.receiver.received).toHaveLength(1));
  await flush();

  const requestId = response.headers.get('x-request-id');
  const request = collector.span('DELETE /api/v1/applications/:id/api-keys/:keyId');
  expect(request).toMatchObject({ traceId, parentSpanId: callerSpan, kind: 2 });
  expect(request.attributes).toEqual({
    'http.request.method': 'DELETE',
    'http.route': '/api/v1/applications/:id/api-keys/:keyId',
    'http.response.status_code': 200,
    'gateway.request_id': requestId,
  });
  const operation = collector.span('revoke api-key');
  expect(operation).toMatchObject({ traceId, parentSpanId: request.spanId });
  const entryId = response.headers.get('revocation-id');
  expect(operation.attributes).toEqual({
    ...{ 'gateway.action': 'revoke', 'gateway.kind': 'api-key', 'gateway.surface': 'rest' },
    ...{ 'gateway.request_id': requestId, 'gateway.outcome': 'done', 'gateway.entry_id': entryId },
  });
  const parts = ['transaction', 'commit'].map((name) =>
    collector.spans().find((span) => span.name === name && span.traceId === traceId),
  );
  for (const part of parts) expect(part?.parentSpanId).toBe(operation.spanId);
  const times = [operation, ...parts].map((span) => BigInt(span?.startTimeUnixNano ?? 0));
  expect(times).toEqual(times.toSorted((a, b) => (a < b ? -1 : 1)));
  expect(BigInt(parts[1]?.endTimeUnixNano ?? 0)).toBeLessThanOrEqual(
    BigInt(operation.endTimeUnixNano),
  );

  const attempt = collector.span('deliver webhook');
  expect(attempt).toMatchObject({ traceId, parentSpanId: operation.spanId, kind: 3 });
  expect(attempt.attributes).toEqual({
    ...{ 'http.request.method': 'POST', 'gateway.entry_id': entryId },
    ...{ 'gateway.target.id': hook.id, 'gateway.target.kind': 'webhook' },
  });
  const [told] = hook.receiver.received;
  expect(told?.headers.traceparent).toBe(`00-${traceId}-${attempt.spanId}-01`);
  expect(told?.headers.tracestate).toBeUndefined();
  expect(collector.resource()['service.name']).toBe('revocation-gateway');
  nothingOf(collector, [
    ...[h.demo.callers.admin, h.demo.callers.personalAccessToken, hook.secret, keyId],
    ...[h.demo.apiKey[1]?.key, String(hook.receiver.port), 'vendor=secret', 'acme'],
  ]);
});

function nothingOf(collector: Collector, secrets: readonly (string | undefined)[]): void {
  const all = collector.received.map(({ body }) => body).join();
  expect(all.length).toBeGreaterThan(0);
  for (const secret of secrets) expect(all).not.toContain(secret ?? 'nothing');
}

test('what is refused, and what was revoked with others', async () => {
  const { h, url, collector, flush } = await openTraced();
  const [first, second] = h.demo.apiKey.map(({ keyId }) => keyId);
  await revokeMany(h, { kind: 'API_KEY', ids: [first ?? '', second ?? '', 'none'] });
  await fetch(`${url}/service-accounts/x/tokens/y`, {
    method: 'DELETE',
    headers: bearer(h.demo.callers.admin),
  });
  await fetch(`${url}/nowhere/rgw_pat_pasted`);
  await fetch(`${url}/health/ready`);
  await flush();
  // One for each transaction that it took; one that had a single attempt says what came of that.
  const many = collector.spans().filter(({ name }) => name === 'revoke api-key');
  const counts = many.map(({ attributes }) => [
    Number(attributes['gateway.attempts'] ?? 1),
    Number(attributes['gateway.done'] ?? (attributes['gateway.outcome'] === 'done' ? 1 : 0)),
  ]);
  const sum = (at: 0 | 1) => counts.reduce((total, each) => total + (each[at] ?? 0), 0);
  expect([sum(0), sum(1)]).toEqual([3, 2]);
  expect(collector.span('revoke service-account-token').attributes).toMatchObject({
    'gateway.outcome': 'refused',
    'gateway.refusal': 'NOT_FOUND',
  });
  const answer = collector.span(
    'DELETE /service-accounts/:serviceAccountSlug/tokens/:tokenSlug',
  ).attributes;
  expect(answer).toMatchObject({
    'http.response.status_code': 404,
    'gateway.refusal': 'NOT_FOUND',
  });
  // What has no route has no name either; nor is it told of each look at the health.
  expect(collector.span('GET').attributes).toMatchObject({ 'http.response.status_code': 404 });
  expect(JSON.stringify(collector.spans())).not.toMatch(/health|pasted/);
});

test('a webhook that fails is an error of its attempt, each time', async () => {
  const { h, collector, flush } = await openTraced();
  await makeHook(h, 'hook', (response) => response.writeHead(503).end());
  const { applicationId, keyId } = h.demo.apiKey[0] ?? {};
  await mutate(h, 'revokeApiKey', { applicationId, keyId }, 'revocation { id }');
  const attempts = async () =>
    await h.running.database.reader.selectFrom('deliveries').select('attempts').execute();
  await until(async () => expect((await attempts())[0]?.attempts).toBeGreaterThan(0));
  await flush();
  const spans = collector.spans().filter(({ name }) => name === 'deliver webhook');
  expect(spans[0]?.status).toEqual({ code: 2, message: 'Answered 503' });
  expect(spans[0]?.parentSpanId).toBe(collector.span('revoke api-key').spanId);
});

test.each([
  ['by default the caller decides', {}, 1],
  ['a ratio of none', { otelTracesSampler: 'traceidratio', otelTracesSamplerArg: 0 }, 0],
  ['always', { otelTracesSampler: 'always_on' }, 2],
  ['only what callers want', { otelTracesSampler: 'parentbased_always_off' }, 1],
  ['never', { otelTracesSampler: 'always_off' }, 0],
] as const)('%s', async (_what, config, kept) => {
  const { url, collector, flush } = await openTraced({ config });
  for (const flags of ['00', '01']) {
    await fetch(`${url}/`, {
      redirect: 'manual',
      headers: { traceparent: `00-${traceId}-${callerSpan}-${flags}` },
    });
  }
  await flush();
  const spans = collector.spans().filter((span) => span.traceId === traceId);
  expect(spans).toHaveLength(kept);
});

test.each(['nonsense', '00-0-0-01', `ff-${traceId}-${callerSpan}-01`])(
  'a traceparent that is none begins a trace of its own: %s',
  async (traceparent) => {
    const { url, collector, flush } = await openTraced();
    expect((await fetch(`${url}/nowhere`, { headers: { traceparent } })).status).toBe(404);
    await flush();
    const span = collector.span('GET');
    expect(span.traceId).not.toBe(traceId);
    expect(span.parentSpanId ?? '').toBe('');
  },
);
