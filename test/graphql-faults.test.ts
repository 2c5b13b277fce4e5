import { Writable } from 'node:stream';
import { pino } from 'pino';
import { expect, test, vi } from 'vitest';
import { createServer } from '../src/server.ts';
import { newRequestId } from '../src/start.ts';
import { past } from './engine.ts';
import { graphqlWays } from './graphql-ways.ts';
import { type Harness, openGateway } from './harness.ts';

/** A fault inside: one fixed text outside, everything else in the log, under the request's id. */

// Libraries that look at this tell more when it says so: it must make no difference here.
vi.hoisted(() => {
  process.env.NODE_ENV = 'development';
});

const FIXED_TEXT = 'An unexpected error occurred.';
const ACCEPTED = ['application/json', 'application/graphql-response+json'];
const cases = graphqlWays.flatMap((each) => ACCEPTED.map((accept) => ({ ...each, accept })));

/** Takes a table from under the gateway, as a bad restore would. */
async function takeAway(h: Harness, table: string): Promise<void> {
  const other = await past(h.folder);
  await other.all(`alter table ${table} rename to ${table}_away`);
  await other.close();
}

/** Asks as the admin, and gives the answer and what was logged meanwhile. */
async function ask(h: Harness, query: string, { accept, shortPath }: (typeof cases)[number]) {
  const lines: string[] = [];
  const sink = new Writable({
    write(chunk, _encoding, written) {
      lines.push(String(chunk));
      written();
    },
  });
  const gateway = { ...h.running.gateway, log: pino({ level: 'warn' }, sink) };
  const app = createServer({ profile: 'development', gateway, newRequestId, shortPath });
  const response = await app.inject({
    method: 'POST',
    url: '/graphql',
    headers: {
      accept,
      authorization: `Bearer ${h.demo.callers.admin}`,
      'content-type': 'application/json',
    },
    payload: JSON.stringify({ query }),
  });
  await app.close();
  expect(response.body).not.toMatch(
    /_away|no such|does not exist|sqlite|postgres|select|insert|node_modules|\.ts\b/i,
  );
  const requestId = response.headers['x-request-id'];
  const logged = lines.map((line) => JSON.parse(line) as { reqId: string; err: Error });
  return { status: response.statusCode, body: response.json() as unknown, requestId, logged };
}

const masked = (path?: string[]) => ({
  message: FIXED_TEXT,
  ...(path === undefined ? {} : { path, locations: expect.any(Array) }),
  extensions: { code: 'INTERNAL_SERVER_ERROR' },
});

for (const given of cases) {
  const { way, accept } = given;
  test(`in a field: the rest is answered, as ${accept}, through ${way}`, async () => {
    const h = await openGateway();
    await takeAway(h, 'ledger');
    const query = '{ me { name ledger { edges { node { id } } } } }';
    const answer = await ask(h, query, given);
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      data: { me: { name: 'admin', ledger: null } },
      errors: [masked(['me', 'ledger'])],
    });
    expect(answer.logged).toEqual([
      expect.objectContaining({
        reqId: answer.requestId,
        err: expect.objectContaining({
          message: expect.stringMatching(/no such table|does not exist/),
        }),
      }),
    ]);
  });

  test(`in a mutation: nothing is written, as ${accept}, through ${way}`, async () => {
    const h = await openGateway();
    const before = await h.rows();
    await takeAway(h, 'ledger');
    const tokenId = h.demo.accessToken[0]?.tokenId ?? '';
    const mutation = `mutation { revokeToken(input: { tokenId: "${tokenId}" }) { __typename } }`;
    const answer = await ask(h, mutation, given);
    expect(answer.body).toEqual({ data: null, errors: [masked(['revokeToken'])] });
    expect(answer.logged).toMatchObject([{ reqId: answer.requestId }]);
    expect(await h.rows()).toEqual(before);
  });

  test(`before anything is executed: the status is 500, as ${accept}, through ${way}`, async () => {
    const h = await openGateway();
    await takeAway(h, 'revocables');
    const answer = await ask(h, '{ me { name } }', given);
    expect([answer.status, answer.body]).toEqual([500, { errors: [masked()] }]);
    expect(answer.logged).toMatchObject([{ reqId: answer.requestId }]);
  });
}
