import { describe, expect, test } from 'vitest';
import { readConfig } from '../src/config.ts';
import { type Harness, openGateway } from './harness.ts';

/** Whoever asks for too much is told so, in the words of the path, and nobody else notices. */

const wide = {
  ...{ address: 1_000, caller: 1_000, login: 1_000, introspection: 1_000, failures: 1_000 },
};
/** A clock that stands still would not do: windows are a second of real time. */
async function burst<T>(count: number, ask: () => Promise<T>): Promise<T[]> {
  // Begins with a window, so that no burst falls into two.
  await new Promise((resolve) => setTimeout(resolve, 1_010));
  return await Promise.all(Array.from({ length: count }, ask));
}

const statuses = (answers: readonly { status: number }[]) =>
  answers.map(({ status }) => status).sort();

const revokePath = (h: Harness) => {
  const [key] = h.demo.apiKey;
  return `/api/v1/applications/${key?.applicationId}/api-keys/${key?.keyId}`;
};

describe.each<[string, string, (h: Harness) => [method: string, path: string], object]>([
  [
    'Infisical',
    'RateLimitExceeded',
    (h) => ['DELETE', `/api/v1/auth/jwt-auth/identities/${h.demo.jwtAuth[0]?.identityId}`],
    { statusCode: 429, message: 'Rate limit exceeded. Please try again in 1 seconds' },
  ],
  ['Kadosei', 'Too Many Requests', (h) => ['DELETE', revokePath(h)], { code: 429 }],
  [
    'Kaiten',
    'RATE_LIMIT_EXCEEDED',
    () => ['DELETE', '/service-accounts/a/tokens/b'],
    { status: 429 },
  ],
  ['Apinizer', 'rate_limit_exceeded', () => ['DELETE', '/apiops/x'], {}],
  ['OAuth', 'temporarily_unavailable', () => ['POST', '/oauth/introspect'], {}],
  ['the gateway', 'Too Many Requests', () => ['GET', '/nowhere'], { status: 429 }],
  ['GraphQL', 'TOO_MANY_REQUESTS', () => ['POST', '/graphql'], {}],
])('%s', (_name, code, ask, members) => {
  test.each(['address', 'caller'])('beyond the limit by %s: 429 in its words', async (limit) => {
    const h = await openGateway({ config: { rateLimits: { ...wide, [limit]: 2 } } });
    const [method, path] = ask(h);
    const answers = await burst(5, () => h.rest(method, path, h.demo.callers.admin));
    const limited = answers.filter(({ status }) => status === 429);
    expect(limited).toHaveLength(3);
    for (const { headers, body } of limited) {
      expect(headers['retry-after']).toBe('1');
      expect(headers['x-request-id']).toMatch(/^req-/);
      expect(body).toContain(code);
      expect(JSON.parse(body)).toMatchObject(members);
    }
  });
});

test('callers are told apart, and an address counts for all of them', async () => {
  const h = await openGateway({ config: { rateLimits: { ...wide, caller: 2 } } });
  const { admin, denied } = h.demo.callers as Record<string, string>;
  const ask = (token: string | undefined) => h.rest('GET', '/nowhere', token);
  const [ofOne, ofOther] = await Promise.all([
    burst(3, () => ask(admin)),
    burst(2, () => ask(denied ?? 'another')),
  ]);
  expect([statuses(ofOne), statuses(ofOther)]).toEqual([
    [404, 404, 429],
    [404, 404],
  ]);
});

test('introspection and logins have limits of their own', async () => {
  const rateLimits = { ...wide, introspection: 1, login: 1 };
  const h = await openGateway({ config: { rateLimits } });
  for (const path of ['/oauth/introspect', '/oauth/token', '/api/v1/auth/jwt-auth/login']) {
    const answers = await burst(3, () => h.rest('POST', path, h.demo.callers.admin));
    expect(statuses(answers).filter((status) => status === 429)).toHaveLength(2);
  }
});

test('whoever fails too often is told so, and who is good is not', async () => {
  const h = await openGateway({ config: { rateLimits: { ...wide, failures: 2 } } });
  const answers = await burst(4, () => h.rest('DELETE', revokePath(h), 'rgw_pat_nobody'));
  expect(statuses(answers)).toEqual([401, 401, 429, 429]);
  const limited = answers.find(({ status }) => status === 429);
  expect(limited?.headers['www-authenticate']).toBeUndefined();
  expect(JSON.parse(limited?.body ?? '')).toMatchObject({ code: 429 });
  const good = await h.rest('DELETE', revokePath(h), h.demo.callers.admin);
  expect(good.status).toBe(200);
});

test('a window ends, and health is not limited', async () => {
  const h = await openGateway({ config: { rateLimits: { ...wide, address: 1 } } });
  expect(statuses(await burst(2, () => h.rest('GET', '/nowhere')))).toEqual([404, 429]);
  expect(statuses(await burst(1, () => h.rest('GET', '/nowhere')))).toEqual([404]);
  expect(statuses(await burst(5, () => h.rest('GET', '/health/live')))).toEqual(Array(5).fill(200));
});

test('production has them unless they are off, development has those that are named', () => {
  const limits = (env: Record<string, string>) => readConfig(env).rateLimits;
  const production = { PROFILE: 'production' };
  expect(limits({})).toBeUndefined();
  expect(limits(production)).toEqual({
    ...{ address: 1_000, caller: 500, login: 20, introspection: 200, failures: 10 },
  });
  expect(limits({ ...production, RATE_LIMITS: 'off' })).toBeUndefined();
  expect(limits({ RATE_LIMITS: 'login=5, address=7' })).toMatchObject({
    ...{ address: 7, caller: 500, login: 5 },
  });
  for (const RATE_LIMITS of ['on', 'address=0', 'address', 'nobody=5', 'address=1.5']) {
    expect(() => limits({ RATE_LIMITS })).toThrow(/RATE_LIMITS: must be off, or NAME=NUMBER/);
  }
});

test('every answer says to browsers that it is none of their business', async () => {
  const h = await openGateway();
  for (const path of ['/health/live', '/nowhere', '/%', '/oauth/introspect', '/graphql']) {
    const { headers } = await h.rest('GET', path);
    expect.soft(headers, path).toMatchObject({
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'content-security-policy': expect.stringContaining("frame-ancestors 'none'"),
    });
    expect.soft(headers['access-control-allow-origin'], path).toBeUndefined();
  }
  const preflight = await h.rest('OPTIONS', '/graphql');
  expect(preflight.headers['access-control-allow-origin']).toBeUndefined();
});
