import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { InjectOptions } from 'fastify';
import { serverAudits } from 'graphql-http';
import { SignJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import { readConfig } from '../src/config.ts';
import { GRAPHQL_BODY_BYTES_MAX } from '../src/graphql/mount.ts';
import { graphqlWays } from './graphql-ways.ts';
import { type Harness, openGateway } from './harness.ts';

/** GraphQL over HTTP: what is answered to requests of every form, well-formed or not. */

const query = '{ __typename }';
const JSON_TYPE = { 'content-type': 'application/json' };

test.each(graphqlWays)('the 61 audits of GraphQL over HTTP, through $way', async (options) => {
  const h = await openGateway(options);
  const url = `${await h.app.listen({ host: '127.0.0.1', port: 0 })}/graphql`;
  const audits = serverAudits({ url });
  expect(audits).toHaveLength(61);
  for (const audit of audits) {
    const result = await audit.fn();
    // A recommendation that is not followed is a failure here, as a requirement is.
    const reason = 'reason' in result ? result.reason : '';
    expect.soft(result.status, `${audit.id} ${audit.name}: ${reason}`).toBe('ok');
  }
});

interface Sent {
  readonly status: number;
  readonly headers: Record<string, unknown>;
  readonly body: string;
}

/** Sends a request to /graphql. Whatever comes of it, the answer names its request. */
async function send(h: Harness, options: InjectOptions): Promise<Sent> {
  const response = await h.app.inject({ url: '/graphql', ...options });
  expect(response.headers['x-request-id']).toMatch(/^req-\w{14}$/);
  return { status: response.statusCode, headers: response.headers, body: response.body };
}

describe.each(graphqlWays)('requests that are not well-formed, through $way', (options) => {
  const post = (payload: string, headers: Record<string, string> = JSON_TYPE): InjectOptions => ({
    method: 'POST',
    headers,
    payload,
  });
  const get = (search: Record<string, string>): InjectOptions => ({
    method: 'GET',
    url: `/graphql?${new URLSearchParams(search)}`,
  });
  const document = JSON.stringify({ query });

  test.each<[string, number, InjectOptions]>([
    ['no body and no type', 415, { method: 'POST' }],
    ['an empty body', 400, post('')],
    ['a body that is no JSON', 400, post('{"query":')],
    ['a body that is a text', 400, post('"{ __typename }"')],
    ['a body that is null', 400, post('null')],
    ['a body without a query', 400, post('{}')],
    ['a query that is a number', 400, post('{"query":1}')],
    ['an unknown parameter', 400, post(JSON.stringify({ query, more: true }))],
    ['a batch', 400, post(`[${document},${document}]`)],
    ['an empty batch', 400, post('[]')],
    ['plain text', 415, post(document, { 'content-type': 'text/plain' })],
    ['a document as its own type', 415, post(query, { 'content-type': 'application/graphql' })],
    ['a form', 415, post('query=x', { 'content-type': 'application/x-www-form-urlencoded' })],
    ['parts', 415, post('--x--', { 'content-type': 'multipart/form-data; boundary=x' })],
    ['a type that is no type', 415, post(document, { 'content-type': 'nothing' })],
    ['no query in the URL', 400, get({})],
    ['variables in the URL that are no JSON', 400, get({ query, variables: '{' })],
    ['extensions in the URL that are no JSON', 400, get({ query, extensions: '{' })],
    ['a host that is none', 400, { ...get({ query }), headers: { host: '[' } }],
  ])('%s is answered with %i', async (_case, status, request) => {
    const h = await openGateway(options);
    const answer = await send(h, request);
    expect(answer.status, answer.body).toBe(status);
    expect(answer.body).not.toContain('SyntaxError');
  });

  test('a body at the limit is read, and one over it is answered with 413', async () => {
    const h = await openGateway(options);
    const padded = (bytes: number) => document.padEnd(bytes, ' ');
    expect((await send(h, post(padded(GRAPHQL_BODY_BYTES_MAX)))).status).toBe(200);
    expect((await send(h, post(padded(GRAPHQL_BODY_BYTES_MAX + 1)))).status).toBe(413);
  });
});

describe('methods', () => {
  test('a query may be a GET, and a mutation may not', async () => {
    const h = await openGateway();
    const before = await h.rows();
    const authorization = `Bearer ${h.demo.callers.admin}`;
    const [{ tokenId } = { tokenId: '' }] = h.demo.accessToken;
    const mutation = `mutation { revokeToken(input: { tokenId: "${tokenId}" }) { __typename } }`;
    const get = (document: string) =>
      send(h, {
        method: 'GET',
        url: `/graphql?${new URLSearchParams({ query: document })}`,
        headers: { authorization },
      });

    const read = await get('{ me { name } }');
    expect([read.status, JSON.parse(read.body)]).toEqual([
      200,
      { data: { me: { name: 'admin' } } },
    ]);
    const written = await get(mutation);
    expect([written.status, written.headers.allow]).toEqual([405, 'POST']);
    expect(await h.rows()).toEqual(before);
    expect(await h.ledger()).toEqual([]);
  });

  test.each(['HEAD', 'PUT', 'PATCH', 'DELETE'] as const)('%s is not allowed', async (method) => {
    const h = await openGateway();
    const answer = await send(h, { method });
    expect([answer.status, answer.headers.allow]).toEqual([405, 'GET, POST, OPTIONS']);
  });

  test('OPTIONS tells the methods, and opens nothing to scripts of other sites', async () => {
    const h = await openGateway();
    const headers = { origin: 'http://elsewhere.test', 'access-control-request-method': 'POST' };
    const asked = await send(h, { method: 'OPTIONS', headers });
    expect([asked.status, asked.headers.allow]).toEqual([204, 'GET, POST, OPTIONS']);
    const page = await send(h, { method: 'GET', headers: { ...headers, accept: 'text/html' } });
    expect(page.headers['content-type']).toBe('text/html');
    for (const name of [...Object.keys(asked.headers), ...Object.keys(page.headers)]) {
      expect(name).not.toMatch(/^access-control-/);
    }
  });
});

describe.each(graphqlWays)('values of the wrong type are no fault, through $way', (options) => {
  const document = (literal: string, variable = '') => `mutation M${variable} {
    createPersonalAccessToken(input: { name: "n", permissions: ["ledger:read"], expiresAt: ${literal} }) {
      __typename
    }
  }`;
  test.each(['tomorrow', '2026-02-30T09:00:00Z', '2026-11-21', '1', ''])(
    '"%s" is no DateTime, as a literal or in a variable',
    async (text) => {
      const h = await openGateway(options);
      const { admin } = h.demo.callers;
      const asked = await Promise.all([
        h.graphql(document(JSON.stringify(text)), {}, admin),
        h.graphql(document('$at', '($at: DateTime)'), { at: text }, admin),
      ]);
      for (const { data, errors } of asked) {
        expect(data).toBeUndefined();
        expect(errors?.[0]?.message).toContain('A DateTime is a text as in RFC 3339.');
      }
      expect(await h.ledger()).toEqual([]);
    },
  );

  test.each(['"2099-11-21T09:00:00Z"', '"2099-11-21T10:00:00.000+01:00"'])(
    '%s is a DateTime',
    async (literal) => {
      const h = await openGateway(options);
      const { data } = await h.graphql(document(literal), {}, h.demo.callers.admin);
      expect(data).toEqual({
        createPersonalAccessToken: { __typename: 'CreatePersonalAccessTokenSuccess' },
      });
      const expiry = Date.UTC(2099, 10, 21, 9);
      expect((await h.rows()).map(({ expires_at_ms }) => expires_at_ms)).toContain(expiry);
    },
  );
});

test.each(graphqlWays)(
  'while a trusted issuer cannot be asked for its keys, the answer is 503, through $way',
  async ({ shortPath }) => {
    const issuer = 'https://issuer.test';
    const { trustedIssuers, outboundAllow } = readConfig({
      TRUSTED_ISSUERS: JSON.stringify([
        { issuer, audience: 'gateway', jwksUrl: `http://127.0.0.1:${await closedPort()}/jwks` },
      ]),
      OUTBOUND_ALLOW: '127.0.0.0/8',
    });
    const h = await openGateway({ config: { trustedIssuers, outboundAllow }, shortPath });
    const { privateKey } = await crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify']);
    const token = await new SignJWT({ organization: 'acme' })
      .setProtectedHeader({ alg: 'EdDSA', kid: 'any' })
      .setIssuer(issuer)
      .setAudience('gateway')
      .setSubject('somebody')
      .setExpirationTime('1h')
      .sign(privateKey);

    const answer = await send(h, {
      method: 'POST',
      headers: { ...JSON_TYPE, authorization: `Bearer ${token}` },
      payload: JSON.stringify({ query: '{ me { name } }' }),
    });
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '1']);
    expect(JSON.parse(answer.body)).toEqual({
      errors: [
        {
          message: 'The gateway cannot answer for now. Try again.',
          extensions: { code: 'UNAVAILABLE' },
        },
      ],
    });
  },
);

/** A port at which nobody listens any more. */
async function closedPort(): Promise<number> {
  const server = createHttpServer();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}
