import { request } from 'node:http';
import { describe, expect, test } from 'vitest';
import { basic, bearer, post, type Served, serveGateway } from './oauth-clients.ts';

/** The OAuth endpoints on the wire: what they make of any request. */

const endpoints = ['token', 'introspect', 'revoke'];

const fetched = async (h: Served, path: string, init: RequestInit = {}) => {
  const response = await fetch(new URL(path, h.url), init);
  return { status: response.status, headers: response.headers, text: await response.text() };
};

/** Sends what `fetch` would not. */
const raw = (h: Served, method: string, path: string, headers: Record<string, string> = {}) =>
  new Promise<{
    status: number | undefined;
    type: string | undefined;
    allow?: string;
    body: string;
  }>((resolve, reject) => {
    const { port } = new URL(h.url);
    request({ host: '127.0.0.1', port, method, path, headers, agent: false }, (response) => {
      const { statusCode: status, headers: answered } = response;
      let body = '';
      response.setEncoding('utf8').on('data', (chunk) => {
        body += chunk;
      });
      const { allow, 'content-type': type } = answered;
      response.on('end', () => resolve({ status, type, ...(allow && { allow }), body }));
    })
      .once('error', reject)
      .end();
  });

/** The charset of RFC 6749's `error_description`: neither `"` nor `\`, and ASCII alone. */
const described = /^\{"error":"[a-z_]+","error_description":"[\x20\x21\x23-\x5b\x5d-\x7e]+"\}$/;

describe.each(endpoints)('/oauth/%s', (endpoint) => {
  test('is posted to, and nothing else', async () => {
    const h = await serveGateway();
    for (const method of ['GET', 'HEAD', 'PUT', 'DELETE', 'PATCH', 'PROPFIND']) {
      const answer = await raw(h, method, `/oauth/${endpoint}`);
      expect([method, answer]).toEqual([
        method,
        {
          ...{ status: 405, type: 'application/json', allow: 'POST, OPTIONS' },
          body: method === 'HEAD' ? '' : expect.stringMatching(described),
        },
      ]);
    }
    const options = await raw(h, 'OPTIONS', `/oauth/${endpoint}`);
    expect([options.status, options.allow]).toEqual([204, 'POST, OPTIONS']);
  });

  test.each<[string, string | undefined, string | undefined]>([
    ['JSON', 'application/json', '{"token":"x"}'],
    ['no JSON that says so', 'application/json', '{'],
    ['a form with files', 'multipart/form-data; boundary=x', '--x--'],
    ['a text', 'text/plain', 'token=x'],
    ['a type that is none', 'form', 'token=x'],
    ['no body', undefined, undefined],
  ])('takes no %s', async (_what, type, body) => {
    const h = await serveGateway();
    const { status, headers, text } = await fetched(h, `/oauth/${endpoint}?token=x`, {
      method: 'POST',
      headers: { ...basic(h.demo.oauthClient), ...(type && { 'content-type': type }) },
      ...(body && { body: Buffer.from(body) }),
    });
    expect([status, headers.get('content-type')]).toEqual([400, 'application/json']);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(JSON.parse(text).error).toBe('invalid_request');
    expect(text).toMatch(described);
  });

  test('reads a form with a charset, and up to 64 KiB', async () => {
    const h = await serveGateway();
    const type = 'application/x-www-form-urlencoded;charset=UTF-8';
    const headers = { ...basic(h.demo.oauthClient), 'content-type': type };
    const form = (bytes: number) => {
      const start = 'grant_type=client_credentials&token=x&padding=';
      return start + 'x'.repeat(bytes - start.length);
    };
    expect((await post(h, endpoint, form(64 * 1024), headers)).status).toBe(200);
    const { status, body, text } = await post(h, endpoint, form(64 * 1024 + 1), headers);
    expect([status, body.error]).toEqual([413, 'invalid_request']);
    expect(text).toMatch(described);
  });

  test.each(['grant_type', 'token', 'scope', 'client_id', 'x'])(
    'takes %s twice for a mistake, even if empty',
    async (name) => {
      const h = await serveGateway();
      for (const value of ['x', '']) {
        const { status, body } = await post(
          h,
          endpoint,
          [
            [name, value],
            [name, 'x'],
          ],
          basic(h.demo.oauthClient),
        );
        expect([status, body]).toEqual([
          400,
          {
            error: 'invalid_request',
            error_description: 'A parameter is sent more than once.',
          },
        ]);
      }
    },
  );

  test('answers a fault without a word of it', async () => {
    const log: string[] = [];
    const h = await serveGateway({
      config: { logLevel: 'info' },
      logTo: { write: (line) => log.push(line) },
    });
    Object.assign(h.running.gateway.writes, {
      run: () => Promise.reject(new Error('secret innards')),
    });
    Object.assign(h.running.gateway, { verify: () => Promise.reject(new Error('secret innards')) });
    const form = { grant_type: 'client_credentials', token: 'x' };
    const { status, body, text } = await post(h, endpoint, form, basic(h.demo.oauthClient));
    expect([status, body.error]).toEqual([500, 'server_error']);
    expect(text).toMatch(described);
    expect(log.join()).toContain('secret innards');
  });

  test('answers 503 while the database is not there', async () => {
    const h = await serveGateway();
    const failure = () => Promise.reject(Object.assign(new Error(), { code: 'SQLITE_IOERR' }));
    Object.assign(h.running.gateway.writes, { run: failure });
    Object.assign(h.running.gateway, { verify: failure });
    const form = { grant_type: 'client_credentials', token: 'x' };
    const { status, headers, body } = await post(h, endpoint, form, basic(h.demo.oauthClient));
    expect([status, body.error]).toEqual([503, 'temporarily_unavailable']);
    expect(headers.get('retry-after')).toBe('1');
  });
});

test.each(['introspect', 'revoke'])(
  '/oauth/%s asks for the token, of those who may',
  async (endpoint) => {
    const h = await serveGateway();
    for (const form of [{}, { token: '' }, { token_type_hint: 'access_token' }]) {
      for (const who of [basic(h.demo.oauthClient), bearer(h.demo.callers.admin)]) {
        const { status, body } = await post(h, endpoint, form as Record<string, string>, who);
        expect([status, body]).toEqual([
          400,
          { error: 'invalid_request', error_description: 'The parameter token is missing.' },
        ]);
      }
    }
  },
);

test.each<[string, number]>([
  ['/oauth', 404],
  ['/oauth/', 404],
  ['/oauth/authorize', 404],
  ['/oauth/token/', 404],
  ['/oauth/%zz', 400],
  [`/oauth/${'x'.repeat(70_000)}`, 414],
])('%.20s is answered in the words of OAuth with %i', async (path, status) => {
  const h = await serveGateway();
  const answer = await raw(h, 'POST', path);
  expect(answer).toMatchObject({ status, type: 'application/json' });
  expect(answer.body).toMatch(described);
  expect(JSON.parse(answer.body).error).toBe('invalid_request');
});

test('paths that only begin alike are no paths of OAuth', async () => {
  const h = await serveGateway();
  for (const path of ['/oauthx', '/oauth2/token']) {
    expect(await raw(h, 'POST', path)).toMatchObject({
      status: 404,
      type: 'application/problem+json',
    });
  }
});
