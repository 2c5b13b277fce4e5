import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { listenOn } from './feed-client.ts';
import { hold, RUNS, timeoutFor, wrongIn } from './fuzzing.ts';
import type { Harness } from './harness.ts';
import * as hostile from './hostile.ts';
import { describeAll, placesIn } from './openapi.ts';
import { readAnswers, speak } from './raw-http.ts';
import { knownTo } from './rest-requests.ts';
import { openAmongStrangers } from './strangers.ts';

/** Whatever bytes are sent to the port: each answer is HTTP, and the next caller has theirs. */

const paths = [...new Set(placesIn(describeAll()).map(({ path }) => path.replace(/[{}]/g, '')))];

const portOf = ({ app }: Harness) => (app.server.address() as AddressInfo).port;

const line = (text: string) => Buffer.from(text, 'latin1');

/** A request that is part of another, and never one of its own. */
const hidden = 'GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n';

/** A request that is well-formed, and asks for no stream. */
const wellFormed = (good: readonly string[]) =>
  fc
    .record({
      method: fc.constantFrom('GET', 'POST', 'DELETE', 'PUT', 'PATCH', 'OPTIONS', 'QUERY'),
      path: fc.constantFrom(...paths),
      authorization: fc.constantFrom(...good, 'Bearer x'),
      body: hostile.body({ name: 'x', query: '{ me { name } }' }, false),
    })
    .map(({ method, path, authorization, body }) => {
      const bytes = Buffer.from(body).subarray(0, 2_000);
      const head = `${method} ${path} HTTP/1.1\r\nHost: a\r\nAuthorization: ${authorization}\r\nContent-Type: application/json\r\n`;
      return Buffer.concat([line(`${head}Content-Length: ${bytes.length}\r\n\r\n`), bytes]);
    });

/** Pieces that mean something to a parser of HTTP. */
const pieces = fc.constantFrom(
  ...['\r\n', '\n', '\r', '\r\n\r\n', ' ', '\t', '\0', ':', ',', '\x7f', '\xff', '0\r\n\r\n', '%'],
  ...[
    'GET / HTTP/1.1\r\n',
    'GET  / HTTP/1.1\r\n',
    'GET / HTTP/9.9\r\n',
    'GET / HTTP/1.0\r\n',
    'GET /\r\n',
  ],
  ...[
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'CONNECT a:1 HTTP/1.1\r\n',
    'OPTIONS * HTTP/1.1\r\n',
    'X / y\r\n',
  ],
  ...['GET http://a/graphql HTTP/1.1\r\n', 'GET http:// HTTP/1.1\r\n', 'GET \\..\\ HTTP/1.1\r\n'],
  ...[
    'Content-Length: 5\r\n',
    'Content-Length: -1\r\n',
    'Content-Length: 1, 2\r\n',
    'Content-Length: 9e9\r\n',
  ],
  ...[
    'Transfer-Encoding: chunked\r\n',
    'Transfer-Encoding: x\r\n',
    'Transfer-Encoding : chunked\r\n',
  ],
  ...[
    'Host: a\r\n',
    'Host: \r\n',
    'Host: a b\r\n',
    ' folded: x\r\n',
    ': x\r\n',
    'x\r\n',
    'A: \x01\r\n',
  ],
  ...[
    'Upgrade: websocket\r\nConnection: Upgrade\r\n',
    'Connection: close\r\n',
    'Expect: 100-continue\r\n',
  ],
  ...[
    'Expect: x\r\n',
    'Authorization: Bearer \xe9\r\n',
    `A: ${'x'.repeat(140_000)}\r\n`,
    `${'A: b\r\n'.repeat(2_500)}`,
  ],
  ...[
    '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
    'fffffffffffffffff\r\n',
    '5;x=y\r\nabcde\r\n',
    '5\r\nabc',
  ],
);

/** Bytes in the place of others, or between them. */
const broken = (good: readonly string[]) =>
  fc
    .tuple(wellFormed(good), fc.array(fc.tuple(fc.nat(400), fc.nat(12), pieces), { maxLength: 4 }))
    .map(([bytes, changes]) =>
      changes.reduce(
        (so, [at, over, piece]) =>
          Buffer.concat([so.subarray(0, at), line(piece), so.subarray(at + over)]),
        bytes,
      ),
    );

/** The same bytes in so many pieces. */
const inPieces = (bytes: Buffer, cuts: readonly number[]) => {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b)];
  return places.map((from, i) => bytes.subarray(from, places[i + 1] ?? bytes.length));
};

test(
  'any bytes are answered, and end nobody else',
  async () => {
    const { h, strangers, log } = await openAmongStrangers();
    const url = await listenOn(h);
    const good = knownTo(h);
    const bytes = fc.oneof(
      { weight: 6, arbitrary: broken(good) },
      {
        weight: 2,
        arbitrary: fc.array(broken(good), { maxLength: 4 }).map((all) => Buffer.concat(all)),
      },
      {
        weight: 2,
        arbitrary: fc.array(pieces, { maxLength: 12 }).map((all) => line(all.join(''))),
      },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }).map((some) => Buffer.from(some)) },
    );
    const sent = fc.tuple(bytes, fc.array(fc.nat(3_000), { maxLength: 3 }));
    await hold(
      sent,
      async ([all, cuts]) => {
        const answers = readAnswers(await speak(portOf(h), inPieces(all, cuts)));
        for (const answer of answers) {
          const wrong = wrongIn(answer, { sent: all.toString('latin1'), strangers });
          expect({ wrong, answer: wrong.length > 0 ? answer : '' }).toEqual({
            wrong: [],
            answer: '',
          });
        }
      },
      RUNS * 15,
    );
    expect(log()).toEqual([]);
    expect((await fetch(`${url}/health/ready`)).status).toBe(200);
  },
  timeoutFor(15),
);

test(
  'what is asked on one connection at once is answered in order, each once',
  async () => {
    const { h } = await openAmongStrangers();
    await listenOn(h);
    const numbers = fc.array(fc.nat(9_999), { minLength: 1, maxLength: 12 });
    const asked = fc.tuple(numbers, fc.array(fc.nat(3_000), { maxLength: 5 }), fc.boolean());
    await hold(
      asked,
      async ([all, cuts, chunked]) => {
        const body = chunked
          ? `Transfer-Encoding: chunked\r\n\r\n${hidden.length.toString(16)}\r\n${hidden}\r\n0\r\n\r\n`
          : `Content-Length: ${hidden.length}\r\n\r\n${hidden}`;
        const requests = all.map(
          (n) => `POST /nothing-${n} HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\n${body}`,
        );
        const answers = readAnswers(
          await speak(portOf(h), inPieces(line(requests.join('')), cuts)),
        );
        const instances = answers.map(
          ({ body }) => (JSON.parse(body) as { instance: string }).instance,
        );
        expect(instances).toEqual(all.map((n) => `/nothing-${n}`));
      },
      RUNS * 3,
    );
  },
  timeoutFor(5),
);

/** Where two readers could disagree on where a body ends. */
const ambiguous = [
  'Content-Length: 40\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n',
  'Content-Length: 3\r\nContent-Length: 40\r\n\r\nabc',
  'Content-Length: 3, 3\r\n\r\nabc',
  'Content-Length: +3\r\n\r\nabc',
  'Content-Length: 0x3\r\n\r\nabc',
  'Content-Length : 3\r\n\r\nabc',
  'Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n',
  'Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n',
  'Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n',
  'Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n',
  'Transfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n',
  'Transfer-Encoding: chunked\r\n\r\n3\nabc\r\n0\r\n\r\n',
  'Content-Length: 3\n\nabc',
  'X: y\rContent-Length: 3\r\n\r\nabc',
];

test('what may end in two places is refused, and nothing behind it is answered', async () => {
  const { h, strangers } = await openAmongStrangers();
  await listenOn(h);
  for (const framing of ambiguous) {
    const request = line(`POST /oauth/revoke HTTP/1.1\r\nHost: a\r\n${framing}${hidden}`);
    const answers = readAnswers(await speak(portOf(h), [request]));
    expect([framing, ...answers.map(({ status }) => status)]).toEqual([framing, 400]);
    expect(answers.map((answer) => wrongIn(answer, { sent: framing, strangers }))).toEqual([[]]);
  }
});

test.each([
  ['says no host', 400, 'GET /graphql HTTP/1.1\r\n\r\n'],
  ['says no host, to a product', 400, 'DELETE /apiops/x HTTP/1.1\r\n\r\n'],
  ['is of HTTP/1.0, which need not say one', 404, 'GET /apiops/x HTTP/1.0\r\n\r\n'],
  ['says a whole URI', 200, 'GET HTTP://x/health/live HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['says a whole URI without a path', 405, 'PUT http://x?y HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['says no path', 404, 'GET *x HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['expects what is not known', 200, 'GET /health/live HTTP/1.1\r\nHost: a\r\nExpect: x\r\n\r\n'],
  ['has headers without end', 431, `GET / HTTP/1.1\r\nA: ${'x'.repeat(140_000)}\r\n\r\n`],
])('a request that %s is answered by the gateway itself', async (_what, status, request) => {
  const { h, strangers } = await openAmongStrangers();
  await listenOn(h);
  const answers = readAnswers(await speak(portOf(h), [line(request)]));
  expect(answers.map((answer) => answer.status)).toEqual([status]);
  expect(answers.map((answer) => wrongIn(answer, { sent: request, strangers }))).toEqual([[]]);
  expect(JSON.parse(answers[0]?.body ?? '')).not.toEqual({});
});
