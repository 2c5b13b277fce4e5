import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { expect, test } from 'vitest';
import { type Harness, openGateway } from './harness.ts';
import { readAnswers } from './raw-http.ts';

/** A body that never comes whole keeps no connection: it is refused in the words of its path. */

async function openListening(): Promise<{ h: Harness; port: number }> {
  const h = await openGateway();
  await h.app.listen({ host: '127.0.0.1', port: 0 });
  return { h, port: (h.app.server.address() as AddressInfo).port };
}

/** What is answered until the server ends the connection; the client ends it after `bytes`, or never. */
async function said(port: number, bytes: string, end: boolean) {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  if (end) socket.end(bytes);
  else socket.write(bytes);
  await once(socket, 'end');
  socket.destroy();
  return readAnswers(Buffer.concat(chunks)).map(({ status, body }) => [status, JSON.parse(body)]);
}

const head = (path: string, token: string) =>
  `POST ${path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\n` +
  'Content-Type: application/json\r\nContent-Length: 9\r\n\r\n{"a"';

const keys = '/api/v1/applications/x/api-keys';

test.each([
  ['a product', keys, { code: 400, error: 'Bad Request' }],
  ['OAuth, which reads no JSON', '/oauth/revoke', { error: 'invalid_request' }],
  ['GraphQL', '/graphql', { status: 400, instance: '/graphql' }],
  ['the feed', '/feed/acknowledgement', { status: 400 }],
])('the client goes amid a request to %s', async (_what, path, expected) => {
  const { h, port } = await openListening();
  const before = 'GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n';
  const answers = await said(port, before + head(path, h.demo.callers.admin), true);
  expect(answers).toEqual([
    [200, expect.anything()],
    [400, expect.objectContaining(expected)],
  ]);
});

test('the client stays and sends nothing more: it is told so after a while', async () => {
  const { h, port } = await openListening();
  // So that it is not waited for as long as is usual.
  Object.assign(h.app.server, { requestTimeout: 100, headersTimeout: 100 });
  const [answer] = await said(port, head(keys, h.demo.callers.admin), false);
  expect(answer).toEqual([408, expect.objectContaining({ code: 408 })]);
});
