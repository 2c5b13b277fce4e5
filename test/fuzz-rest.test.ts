import { METHODS } from 'node:http';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { makePoint } from './feed-client.ts';
import { alike, expectSound, hold, RUNS, timeoutFor } from './fuzzing.ts';
import * as hostile from './hostile.ts';
import { describeAll, misfit, placesIn } from './openapi.ts';
import { knownTo, pathIn, requestsFor, type Sent, send, sentIn } from './rest-requests.ts';
import { openAmongStrangers } from './strangers.ts';

/** Whatever is sent to a path: no fault, no word of the inside or of others, and the product's own words. */

// All that is mounted is in there: test/openapi-routes.test.ts.
const document = describeAll();
const places = placesIn(document);

test(
  'every route takes whatever is sent',
  async () => {
    const { h, strangers, log } = await openAmongStrangers();
    const before = await strangers.rows();
    const good = [...knownTo(h), `Bearer ${(await makePoint(h)).token}`];
    const baits = strangers.baits.map(({ theirs }) => theirs);
    const texts = fc.oneof(
      { weight: 4, arbitrary: hostile.text },
      { weight: 1, arbitrary: fc.constantFrom(...baits) },
    );
    for (const at of places) {
      await hold(
        requestsFor(at, { good, texts, wild: true, addresses: strangers.addresses }),
        async (sent) => {
          const answer = await send(h, sent);
          const about = { strangers, document, path: pathIn(sent), sent: sentIn(sent) };
          expectSound(answer, about);
          if (isAs(at.path, about.path)) {
            expect([at.operationId, misfit(document, at, answer)]).toEqual([at.operationId, '']);
          }
        },
      );
    }
    expect(await strangers.rows()).toEqual(before);
    expect(log()).toEqual([]);
    expect((await h.rest('GET', '/health/ready')).status).toBe(200);
  },
  timeoutFor(places.length),
);

/** Whether a path, which clients may have changed on its way, is still one of this form. */
const isAs = (form: string, path: string) =>
  new RegExp(`^${form.replaceAll('.', '\\.').replace(/\{\w+\}/g, '[^/]+')}$`).test(path);

test(
  'every path and method is answered in the words of the path',
  async () => {
    const { h, strangers, log } = await openAmongStrangers();
    const parts = places.flatMap(({ path }) => path.split('/').slice(1));
    const part = fc.oneof(fc.constantFrom(...parts), hostile.segment(hostile.text));
    const requests = fc
      .record({
        method: fc.constantFrom(...METHODS.filter((method) => method !== 'CONNECT')),
        url: fc.oneof(
          fc.array(part, { maxLength: 7 }).map((all) => `/${all.join('/')}`),
          fc.constantFrom(...places.map(({ path }) => path)),
        ),
        headers: hostile.headers,
        authorization: hostile.authorization(knownTo(h)),
        payload: hostile.body({}, false),
      })
      .map(
        ({ authorization, headers, ...rest }): Sent => ({
          ...rest,
          headers: { ...headers, ...(authorization !== undefined && { authorization }) },
        }),
      );
    await hold(
      requests,
      async (sent) => {
        const answer = await send(h, sent);
        expectSound(answer, { strangers, document, path: pathIn(sent), sent: sentIn(sent) });
      },
      RUNS * 20,
    );
    expect(log()).toEqual([]);
    expect((await h.rest('GET', '/health/ready')).status).toBe(200);
  },
  timeoutFor(20),
);

test(
  "on every route what is another organization's is answered like what does not exist",
  async () => {
    const { h, strangers, log } = await openAmongStrangers();
    const before = await strangers.rows();
    const { baits, addresses } = strangers;
    const pairs = baits.map(({ theirs, nobodys }) => [theirs, nobodys] as const);
    const as = (sent: Sent, turn: (text: string) => string): Sent => ({
      ...sent,
      url: turn(sent.url),
      ...(typeof sent.payload === 'string' && { payload: turn(sent.payload) }),
    });
    const turned = (text: string) =>
      pairs.reduce((so, [theirs, nobodys]) => so.replaceAll(theirs, nobodys), text);
    const texts = fc.constantFrom(...baits.map(({ theirs }) => theirs));
    const asked = { good: knownTo(h), texts, wild: false, addresses };
    // Of GraphQL: test/fuzz-graphql.test.ts.
    for (const at of places.filter(({ path }) => path !== '/graphql')) {
      await hold(requestsFor(at, asked), async (sent) => {
        const both = async () => [
          alike(await send(h, sent), pairs),
          alike(await send(h, as(sent, turned)), pairs),
        ];
        let [theirs, nobodys] = await both();
        // What was done by the first of the two cannot be done again, whoever's the other is.
        if (!isDeepStrictEqual(theirs, nobodys)) [theirs, nobodys] = await both();
        expect({ sent, ...theirs }).toEqual({ sent, ...nobodys });
      });
    }
    expect(await strangers.rows()).toEqual(before);
    expect(log()).toEqual([]);
  },
  timeoutFor(2 * places.length),
);

const keys = '/api/v1/applications/0190dead-0000-7000-8000-00000000dead/api-keys';
const issuing = { payload: '{"name":"x"}' };

test.each([
  ['a type that is none', 404, 'POST', keys, { 'content-type': 'application' }, issuing],
  ['no type', 404, 'POST', keys, { 'content-type': '' }, issuing],
  ['a wrong method with a body', 405, 'PUT', keys, { 'content-type': 'text/xml' }, issuing],
  ['a body to no route', 404, 'PUT', '/apiops/x', { 'content-type': 'text/xml' }, issuing],
  ['a host with a path', 400, 'POST', '/graphql', { host: 'http://[::1' }, issuing],
  ['a host with a name', 400, 'GET', '/graphql', { host: 'a@b' }, {}],
])('%s is answered with %i', async (_what, status, method, url, headers, more) => {
  const { h, strangers } = await openAmongStrangers();
  const authorization = `Bearer ${h.demo.callers.admin}`;
  const type = { 'content-type': 'application/json' };
  const sent = { method, url, headers: { ...type, authorization, ...headers }, ...more };
  const answer = await send(h, sent);
  expect(answer.status).toBe(status);
  expectSound(answer, { strangers, document, path: url, sent: sentIn(sent) });
});
