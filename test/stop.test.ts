import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { type Demo, fillDemo } from '../db/demo.ts';
import { randomSource } from '../db/demo-rows.ts';
import { readConfig } from '../src/config.ts';
import { start } from '../src/start.ts';
import { listen } from './loopback.ts';
import { newFolder, type Settings, serve, settingsIn } from './processes.ts';

/** A gateway that is told to stop, as a process, while requests are in flight. */

const COUNT = 20;

/** Fills the database with projects that have an environment at this address. */
async function fill(settings: Settings, url: string): Promise<Demo> {
  const running = await start(readConfig({ ...settings, LOG_LEVEL: 'silent' }));
  const source = randomSource(running.gateway.newId);
  const environments = [{ name: 'production', url }];
  const demo = await fillDemo(running, { count: COUNT, source, environments });
  await running.close();
  return demo;
}

const ask = (url: string, demo: Demo, method: string, path: string) =>
  fetch(`${url}${path}`, {
    method,
    headers: { authorization: `Bearer ${demo.callers.personalAccessToken}` },
  });

const validationPath = ({ projectName, username }: Demo['jwkValidation'][number]) =>
  `/apiops/projects/${projectName}/credentials/${username}/jwk/validation/`;

/** Whether something listens there. */
function reachable(url: string): Promise<boolean> {
  const { port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect(Number(port), '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await setImmediate();
}

test('connections that ask nothing, or no more, hold nothing up', async () => {
  const { url, kill, ended } = await serve(settingsIn(newFolder()));
  const { port } = new URL(url);
  const silent = connect(Number(port), '127.0.0.1');
  const halfway = connect(Number(port), '127.0.0.1', () => halfway.write('GET / HT'));
  const again = connect(Number(port), '127.0.0.1', () => {
    again.write('GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n');
  });
  const closed = [silent, halfway, again].map((socket) => once(socket, 'close'));
  await once(again, 'data');
  kill('SIGTERM');
  expect(await ended).toMatchObject({ code: 0, signal: null });
  await Promise.all(closed);
});

test('the demo removes its throwaway database', async () => {
  const folder = newFolder();
  const throwaway = () => readdirSync(folder).filter((name) => /^revocation-gateway/.test(name));
  const { kill, ended } = await serve({ ...settingsIn(folder), TMPDIR: folder }, 'demo');
  expect(throwaway()).toHaveLength(1);
  kill('SIGTERM');
  expect(await ended).toMatchObject({ code: 0, stderr: '' });
  expect(throwaway()).toEqual([]);
});

test.each(['SIGTERM', 'SIGINT'] as const)(
  '%s: requests in flight are answered, the process ends with 0, and what is revoked stays so',
  async (signal) => {
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const environment = await listen(async (response) => {
      await released;
      response.writeHead(204).end();
    });
    const settings = { ...settingsIn(newFolder()), OUTBOUND_ALLOW: '127.0.0.0/8' };
    const demo = await fill(settings, environment.url);
    const first = await serve(settings);

    const answers = demo.jwkValidation.map((credential) =>
      ask(first.url, demo, 'DELETE', validationPath(credential)),
    );
    await until(() => environment.received.length === COUNT);
    first.kill(signal);
    await until(async () => !(await reachable(first.url)));
    release();

    for (const answer of await Promise.all(answers)) {
      expect(answer.status).toBe(200);
      expect(await answer.json()).toMatchObject({ deploymentResult: { success: true } });
    }
    expect(await first.ended).toMatchObject({ code: 0, signal: null, stderr: '' });

    const second = await serve(settings);
    for (const credential of demo.jwkValidation) {
      const repeated = await ask(second.url, demo, 'DELETE', validationPath(credential));
      expect(repeated.status).toBe(400);
      expect(await repeated.text()).toContain('does not have a JWK for validation');
    }
    const [live] = demo.accessToken;
    const path = `/api/v1/auth/token-auth/tokens/${live?.tokenId}/revoke`;
    expect((await ask(second.url, demo, 'POST', path)).status).toBe(200);
  },
);
