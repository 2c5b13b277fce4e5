import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { MESSAGE_TIMEOUT_MS } from '../src/delivery/message.ts';
import { addressOf, deliveries, openWith, surfaces, type Unassign } from './environments.ts';
import type { Harness } from './harness.ts';
import { listen, talkForever } from './loopback.ts';

/** An environment that fails: the unassignment stands, and the answer says who failed and why. */

const acknowledging = () => listen((response) => response.end());

/** The URL of an environment that does this with every request. */
const that = async (answer: (response: ServerResponse) => unknown) => (await listen(answer)).url;

async function closedPort(): Promise<string> {
  const server = await acknowledging();
  await server.close();
  return server.url;
}

const plainAsTls = async () => (await acknowledging()).url.replace('http:', 'https:');

/** Everything but the deliveries and the ledger. */
async function stateOf(h: Harness) {
  const { reader } = h.running.database;
  const rows = await h.rows();
  return {
    assignments: rows.filter(({ kind }) => kind === 'jwk-validation'),
    others: rows.filter(({ kind }) => kind !== 'jwk-validation'),
    jwks: await reader.selectFrom('jwks').selectAll().execute(),
    uses: await reader.selectFrom('jwk_assignments').selectAll().execute(),
  };
}

/** Unassigns with production well and staging failing, and looks at all that is left behind. */
async function expectStagingFails(unassign: Unassign, url: string, why: string | RegExp) {
  const production = await acknowledging();
  const h = await openWith({ production: production.url, staging: url });
  const before = await stateOf(h);
  const answer = await unassign(h, addressOf(h), h.demo.callers.admin);

  const message = typeof why === 'string' ? why : expect.stringMatching(why);
  expect(answer.code).toBe('done');
  expect(answer.deployment).toEqual({
    success: false,
    message: 'Deployment failed in 1 of 2 environments',
    environmentResults: [
      { environmentName: 'production', success: true, message: 'Deployed successfully' },
      { environmentName: 'staging', success: false, message },
    ],
  });
  expect(production.received).toHaveLength(1);

  const rows = await deliveries(h);
  expect(rows.production).toMatchObject({ attempts: 1, last_error: null });
  expect(rows.production?.acknowledged_at_ms).toEqual(expect.any(Number));
  expect(rows.staging).toMatchObject({
    attempts: 1,
    notified_at_ms: expect.any(Number),
    acknowledged_at_ms: null,
    last_error: message,
  });

  // Who does not answer in time may be recorded as late.
  const [entry, ...noOthers] = (await h.ledger()).filter(({ action }) => action !== 'late');
  expect([entry?.id, entry?.outcome, noOthers]).toEqual([answer.revocationId, 'done', []]);
  const after = await stateOf(h);
  const revoked = after.assignments.filter((row) => row.revoked_at_ms !== null);
  expect(revoked.map((row) => row.id)).toEqual([entry?.target_id]);
  expect(revoked[0]?.revocation_id).toBe(answer.revocationId);
  const { assignments: _gone, ...kept } = before;
  expect(after).toMatchObject(kept);
  return { production, rows };
}

const failures: [what: string, start: () => Promise<string>, why: string | RegExp][] = [
  ['answers 500', () => that((r) => r.writeHead(500).end('no')), 'Answered 500'],
  ['answers 404', () => that((r) => r.writeHead(404).end()), 'Answered 404'],
  [
    'answers 500 and never stops talking',
    () =>
      that((r) => {
        r.writeHead(500);
        talkForever(r);
      }),
    'Answered 500',
  ],
  [
    'closes the connection',
    () => that((r) => r.socket?.destroy()),
    /^Could not be reached \((UND_ERR_SOCKET|ECONNRESET)\)$/,
  ],
  [
    'speaks no HTTP',
    () => that((r) => r.socket?.end('hello\r\n\r\n')),
    'Could not be reached (HTTPParserError)',
  ],
  ['speaks no TLS', plainAsTls, /^Could not be reached \(ERR_SSL/],
  ['listens no more', closedPort, 'Could not be reached (ECONNREFUSED)'],
  [
    'has an address inside',
    async () => 'http://10.1.2.3/',
    'Its address is not public and not in OUTBOUND_ALLOW',
  ],
  [
    'has the address of a metadata service',
    async () => 'http://169.254.169.254/latest/',
    'Its address is not public and not in OUTBOUND_ALLOW',
  ],
  ['has no web address', async () => 'file:///etc/passwd', /^Only http and https are allowed/],
  ['has no address at all', async () => 'nowhere', 'Could not be reached (ERR_INVALID_URL)'],
];

describe.each(surfaces)('an environment told through %s', (name, unassign) => {
  test.each(failures)(
    'that %s is named, and the unassignment stands',
    async (_what, start, why) => {
      await expectStagingFails(unassign, await start(), why);
    },
  );

  test('that redirects is named, and where it points hears nothing', async () => {
    const elsewhere = await acknowledging();
    const url = await that((r) => r.writeHead(307, { location: elsewhere.url }).end());
    await expectStagingFails(unassign, url, 'Answered 307: redirects are not followed');
    expect(elsewhere.received).toEqual([]);
  });

  test('that acknowledges and never stops talking has acknowledged, and is cut off', async () => {
    let talking: Promise<unknown> = Promise.reject(new Error('was not asked'));
    talking.catch(() => undefined);
    const url = await that((response) => {
      talking = once(response, 'close');
      talkForever(response);
    });
    const h = await openWith({ talkative: url });
    const { deployment } = await unassign(h, addressOf(h), h.demo.callers.admin);
    expect(deployment).toMatchObject({ success: true });
    const answeredAtMs = Date.now();
    await talking;
    expect(Date.now() - answeredAtMs).toBeLessThan(MESSAGE_TIMEOUT_MS / 2);
  });

  test('whose secret cannot be read is named, and the others are told', async () => {
    const [production, staging] = [await acknowledging(), await acknowledging()];
    const h = await openWith({ production: production.url, staging: staging.url });
    await h.running.gateway.writes.run(async (tx) => {
      const broken = { secret_jwe: 'not.a.jwe' };
      await tx.updateTable('targets').set(broken).where('name', '=', 'staging').execute();
    });
    const { code, deployment } = await unassign(h, addressOf(h), h.demo.callers.admin);
    expect(code).toBe('done');
    expect(deployment?.environmentResults).toEqual([
      { environmentName: 'production', success: true, message: 'Deployed successfully' },
      {
        environmentName: 'staging',
        success: false,
        message: 'Could not be sent: the log of the gateway says why',
      },
    ]);
    expect(staging.received).toEqual([]);
    expect((await deliveries(h)).staging).toMatchObject({ attempts: 1, acknowledged_at_ms: null });
  });

  test('fails alone: where all fail, all are named', async () => {
    const url = await that((r) => r.writeHead(503).end());
    const h = await openWith({ production: url, staging: url });
    const { deployment } = await unassign(h, addressOf(h), h.demo.callers.admin);
    expect(deployment).toEqual({
      success: false,
      message: 'Deployment failed in 2 of 2 environments',
      environmentResults: ['production', 'staging'].map((environmentName) => ({
        environmentName,
        success: false,
        message: 'Answered 503',
      })),
    });
  });

  if (name === 'REST') {
    test('that never answers is waited for until the limit, and no longer', async () => {
      const before = Date.now();
      const url = await that(() => undefined);
      const why = `Did not answer within ${MESSAGE_TIMEOUT_MS} ms`;
      const { rows } = await expectStagingFails(unassign, url, why);
      const tookMs = Date.now() - before;
      expect(tookMs).toBeGreaterThanOrEqual(MESSAGE_TIMEOUT_MS - 10);
      expect(tookMs).toBeLessThan(2 * MESSAGE_TIMEOUT_MS);
      const { notified_at_ms, acknowledged_at_ms } = rows.production ?? {};
      expect(Number(acknowledged_at_ms) - Number(notified_at_ms)).toBeLessThan(MESSAGE_TIMEOUT_MS);
    });
  }
});
