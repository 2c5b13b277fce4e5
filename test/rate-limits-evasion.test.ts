import { connect } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { readConfig } from '../src/config.ts';
import { type Harness, openGateway } from './harness.ts';
import { until } from './targets.ts';

/** Ways round the limits of rates and connections that lead nowhere. */

const wide = {
  ...{ address: 1_000, caller: 1_000, login: 1_000, introspection: 1_000, failures: 1_000 },
};

/** Asks within one window; says how many were not refused for their number. */
async function passed(asked: (() => Promise<{ status: number }>)[]): Promise<number> {
  await setTimeout(1_010);
  const answers = await Promise.all(asked.map((ask) => ask()));
  return answers.filter(({ status }) => status !== 429).length;
}

const malformed = '/api/v1/applications/%/api-keys/y';

test.each([
  ['address', 'DELETE', malformed, 'rgw_pat_x'],
  ['caller', 'DELETE', malformed, 'rgw_pat_x'],
  ['failures', 'DELETE', malformed, 'rgw_pat_x'],
  ['address', 'POST', '/oauth/%zz', undefined],
  ['address', 'GET', '/%ff', undefined],
])('a path that cannot be decoded counts by %s: %s %s', async (limit, method, path, token) => {
  const h = await openGateway({ config: { rateLimits: { ...wide, [limit]: 2 } } });
  const ask = () => h.rest(method, path, token);
  expect(await passed(Array.from({ length: 5 }, () => ask))).toBe(2);
});

test('a path that cannot be decoded is in the log, with whoever asked', async () => {
  const log: string[] = [];
  const logTo = { write: (line: string) => log.push(line) };
  const h = await openGateway({ config: { logLevel: 'info' }, logTo });
  expect((await h.rest('DELETE', malformed, h.demo.callers.admin)).status).toBe(400);
  expect((await h.rest('DELETE', malformed, 'rgw_pat_x')).status).toBe(401);
  const said = log.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'answered');
  expect(said).toMatchObject([
    { status: 400, actor: 'admin' },
    { status: 401, refusal: 'UNAUTHENTICATED' },
  ]);
});

const basic = (id: string, secret: string) =>
  `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;
const escaped = (text: string) =>
  `%${text.charCodeAt(0).toString(16).padStart(2, '0')}${text.slice(1)}`;

const spellings: [scheme: string, spell: (h: Harness) => string[]][] = [
  [
    'Bearer',
    ({ demo }) =>
      ['Bearer ', 'bearer ', 'BEARER ', 'BeArEr   '].map((each) => each + demo.callers.admin),
  ],
  [
    'Basic',
    ({ demo: { oauthClient } }) => {
      const { clientId = '', clientSecret = '' } = oauthClient ?? {};
      const plain = basic(clientId, clientSecret);
      const other = basic(escaped(clientId), escaped(clientSecret));
      return [plain, plain.replace('Basic', 'BASIC  '), plain.replace(/=+$/, ''), other];
    },
  ],
];

test.each(spellings)(
  'one credential counts as one, however it is written: %s',
  async (_, spell) => {
    const h = await openGateway({ config: { rateLimits: { ...wide, introspection: 2 } } });
    const ask = (authorization: string) => () =>
      h.rest('POST', '/oauth/introspect', undefined, {
        headers: { authorization, 'content-type': 'application/x-www-form-urlencoded' },
        payload: 'token=x',
      });
    const all = spell(h);
    const answers = await Promise.all(all.slice(0, 2).map((each) => ask(each)()));
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(await passed(all.map(ask))).toBe(2);
  },
);

test.each([
  ['a port', (n: number) => `203.0.113.9:${4_000 + n}`, '203.0.113.9'],
  ['brackets and a port', (n: number) => `[2001:db8::9]:${4_000 + n}`, '2001:db8::9'],
])('a forwarded address with %s is that address', async (_what, forwarded, client) => {
  const log: string[] = [];
  const { trustedProxies } = readConfig({ TRUSTED_PROXIES: '127.0.0.1' });
  const h = await openGateway({
    config: { trustedProxies, logLevel: 'info', rateLimits: { ...wide, address: 2 } },
    logTo: { write: (line) => log.push(line) },
  });
  const asked = Array.from(
    { length: 5 },
    (_, n) => () =>
      h.rest('GET', '/nowhere', undefined, { headers: { 'x-forwarded-for': forwarded(n) } }),
  );
  expect(await passed(asked)).toBe(2);
  const clients = log.map((line) => JSON.parse(line).client).filter(Boolean);
  expect([...new Set(clients)]).toEqual([client]);
});

test.each([
  ['', 10],
  ['127.0.0.1', 30],
])('of one address so many connections are taken, with %j trusted: %i', async (proxies, taken) => {
  const { trustedProxies } = readConfig({ TRUSTED_PROXIES: proxies });
  const h = await openGateway({ config: { trustedProxies }, connectionsPerAddressMax: 10 });
  const { port } = new URL(await h.app.listen({ host: '127.0.0.1', port: 0 }));
  const sockets = Array.from({ length: 30 }, () => connect(Number(port), '127.0.0.1'));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  let [opened, closed] = [0, 0];
  for (const socket of sockets) {
    socket
      .once('connect', () => opened++)
      .once('close', () => closed++)
      .on('error', () => closed);
    socket.resume();
  }
  await until(() => expect([opened, opened - closed]).toEqual([30, taken]));
  // Whoever leaves makes room.
  const open = sockets.find((socket) => !socket.destroyed);
  open?.destroy();
  await until(async () =>
    expect((await fetch(`http://127.0.0.1:${port}/health/live`)).ok).toBe(true),
  );
});
