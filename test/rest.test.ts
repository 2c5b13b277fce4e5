import { STATUS_CODES } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { readConfig } from '../src/config.ts';
import { credentials } from '../src/credentials/kinds.ts';
import { type Harness, openGateway } from './harness.ts';
import { add, makeTarget, organizationRow, restPath } from './kinds.ts';

/** What clients send beyond the plain request, over a real socket. */

const withRest = credentials.filter(({ rest }) => rest !== undefined);

async function listening(): Promise<{ h: Harness; port: number }> {
  const h = await openGateway();
  await h.app.listen({ host: '127.0.0.1', port: 0 });
  return { h, port: (h.app.server.address() as AddressInfo).port };
}

/** Sends bytes and reads until the server closes, which the request must ask for. */
function exchange(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    let answer = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    socket.on('end', () => resolve(answer));
    socket.on('error', reject);
  });
}

const statusOf = (answer: string) => Number(answer.split(' ')[1]);

const bodies: [string, string[], string][] = [
  ['no body', [], ''],
  ['an empty JSON body', ['Content-Type: application/json'], ''],
  [
    'an empty JSON body of a stated length',
    ['Content-Type: application/json', 'Content-Length: 0'],
    '',
  ],
  ['a JSON body', ['Content-Type: application/json', 'Content-Length: 13'], '{"id":"other"'],
  ['a broken JSON body', ['Content-Type: application/json', 'Content-Length: 4'], '{bad'],
  ['a form', ['Content-Type: application/x-www-form-urlencoded', 'Content-Length: 3'], 'a=b'],
  ['a content type that is none', ['Content-Type: ;;;', 'Content-Length: 3'], 'xyz'],
  ['bytes without a content type', ['Content-Length: 3'], '\0\0\0'],
  ['a chunked body', ['Transfer-Encoding: chunked'], '5\r\nhello\r\n0\r\n\r\n'],
  ['a body of two million bytes', ['Content-Length: 2000000'], 'x'.repeat(2_000_000)],
];

for (const credential of withRest) {
  const { kind } = credential.graph;
  test.each(bodies)(
    `${kind}: %s changes nothing about the answer`,
    async (_what, headers, body) => {
      const { h, port } = await listening();
      const { input } = await makeTarget(h, kind, 'acme');
      const answer = await exchange(
        port,
        [
          `${credential.rest?.method} ${restPath(credential, input)} HTTP/1.1`,
          'Host: localhost',
          'Connection: close',
          `Authorization: Bearer ${h.demo.callers.admin}`,
          ...headers,
          '',
          body,
        ].join('\r\n'),
      );
      expect(statusOf(answer)).toBe(kind === 'service-account-token' ? 204 : 200);
      expect(answer).toContain('revocation-id: ');
    },
  );
}

const names = [
  '日本語',
  'ünïcödé',
  'a b',
  'a/b',
  'a?b',
  'a#b',
  'a%2Fb',
  "'; drop table ledger; --",
  '{}<>"\\^`|',
  '🔑',
  'é'.normalize('NFD'),
  'x'.repeat(10_000),
  '長'.repeat(3_000),
];

test.each(names.map((name) => [name.slice(0, 30), name]))(
  'a service account and a token may be called %j',
  async (_shown, name) => {
    const h = await openGateway();
    const account = await add(h, await organizationRow(h, 'acme'), 'service-account', {
      slug: name,
    });
    const token = await add(h, account, 'service-account-token', { slug: name });
    const path = `/service-accounts/${encodeURIComponent(name)}/tokens/${encodeURIComponent(name)}`;
    expect((await h.rest('DELETE', path, h.demo.callers.admin)).status).toBe(204);
    expect((await h.row(token.id)).revoked_at_ms).not.toBeNull();
    const again = await h.rest('DELETE', path, h.demo.callers.admin);
    expect((JSON.parse(again.body) as { detail: string }).detail).toBe(
      `Token with slug ${name} not found for service account ${name} or already revoked`,
    );
  },
);

test.each(withRest.map((credential) => [credential.graph.kind, credential] as const))(
  '%s: HEAD and other methods are told which are allowed, and change nothing',
  async (kind, credential) => {
    const h = await openGateway();
    const { input, rowId } = await makeTarget(h, kind, 'acme');
    const path = restPath(credential, input);
    const method = credential.rest?.method ?? '';
    for (const wrong of ['GET', 'HEAD', 'PUT', 'PATCH', 'POST', 'DELETE', 'TRACE', 'PROPFIND']) {
      if (wrong === method) continue;
      const answer = await h.rest(wrong, path, h.demo.callers.admin);
      expect([wrong, answer.status]).toEqual([wrong, 405]);
      expect(answer.headers.allow).toBe(`${method}, OPTIONS`);
      if (wrong === 'HEAD') expect(answer.body).toBe('');
    }
    const options = await h.rest('OPTIONS', path);
    expect([options.status, options.headers.allow]).toEqual([204, `${method}, OPTIONS`]);
    expect((await h.row(rowId)).revoked_at_ms).toBeNull();
    expect(await h.ledger()).toEqual([]);
  },
);

test('a documented path has no alias', async () => {
  const h = await openGateway();
  const paths = [
    ['DELETE', '/API/v1/auth/jwt-auth/identities/x'],
    ['DELETE', '/api/v1/auth/jwt-auth/identities/x/'],
    ['DELETE', '//api/v1/auth/jwt-auth/identities/x'],
    ['DELETE', '/api/v1/auth/jwt-auth/identities//'],
    ['DELETE', '/api/service-accounts/x/tokens/y'],
    ['DELETE', '/service-accounts/x/tokens/y/'],
    ['POST', '/api/v1/auth/token-auth/tokens/x/revoke/'],
  ] as const;
  for (const [method, path] of paths) {
    expect([path, (await h.rest(method, path, h.demo.callers.admin)).status]).toEqual([path, 404]);
  }
  // Here the path that sets one begins, and a name is missing.
  const nameless = '/apiops/projects/p/credentials/u/jwk/validation//';
  expect((await h.rest('DELETE', nameless, h.demo.callers.admin)).status).toBe(405);
});

test('JWK validation is found with and without the last slash', async () => {
  const h = await openGateway();
  for (const [i, slash] of ['', '/'].entries()) {
    const { projectName, username } = h.demo.jwkValidation[i] ?? {};
    const path = `/apiops/projects/${projectName}/credentials/${username}/jwk/validation${slash}`;
    expect((await h.rest('DELETE', path, h.demo.callers.admin)).status).toBe(200);
  }
});

test.each([
  ['no HTTP at all', 'hello\r\n\r\n', 400],
  ['a header of 200,000 bytes', `GET / HTTP/1.1\r\nX: ${'x'.repeat(200_000)}\r\n\r\n`, 431],
  ['two lengths', 'POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab', 400],
])('%s gets an answer and the connection is closed', async (_what, bytes, status) => {
  const { port } = await listening();
  const answer = await exchange(port, bytes);
  expect(statusOf(answer)).toBe(status);
  expect(answer.split('\r\n')[0]).toBe(`HTTP/1.1 ${status} ${STATUS_CODES[status]}`);
  const body = JSON.parse(answer.slice(answer.indexOf('\r\n\r\n'))) as { status: number };
  expect(body.status).toBe(status);
});

test('the health of the gateway is told to anybody', async () => {
  const h = await openGateway();
  for (const path of ['/health/live', '/health/ready']) {
    const { status, body } = await h.rest('GET', path);
    expect([status, JSON.parse(body)]).toMatchObject([200, { status: 'ok' }]);
    expect((await h.rest('HEAD', path)).status).toBe(200);
    expect(await h.rest('POST', path)).toMatchObject({
      status: 405,
      headers: { allow: 'GET, HEAD, OPTIONS' },
    });
  }
});

test('a forwarded address is believed from a trusted proxy alone', async () => {
  for (const [proxies, client] of [
    ['', '127.0.0.1'],
    ['10.0.0.0/8', '127.0.0.1'],
    ['127.0.0.0/8', '203.0.113.9'],
  ]) {
    const log: string[] = [];
    const { trustedProxies } = readConfig({ TRUSTED_PROXIES: proxies });
    const h = await openGateway({
      config: { trustedProxies, logLevel: 'info' },
      logTo: { write: (line) => log.push(line) },
    });
    await h.rest('GET', '/health/live', undefined, {
      headers: { 'x-forwarded-for': '203.0.113.9' },
    });
    const answered = log.map((line) => JSON.parse(line) as { msg: string; client?: string });
    expect(answered.find(({ msg }) => msg === 'answered')?.client).toBe(client);
  }
});

test('a request line may name the whole URI', async () => {
  const { h, port } = await listening();
  const { applicationId, keyId } = h.demo.apiKey[0] ?? {};
  const path = `/api/v1/applications/${applicationId}/api-keys/${keyId}`;
  const answer = await exchange(
    port,
    [
      `DELETE http://localhost:${port}${path} HTTP/1.1`,
      'Host: localhost',
      'Connection: close',
      `Authorization: Bearer ${h.demo.callers.admin}`,
      ...['', ''],
    ].join('\r\n'),
  );
  expect(statusOf(answer)).toBe(200);
});
