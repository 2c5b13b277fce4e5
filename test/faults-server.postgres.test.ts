import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import type { Demo } from '../db/demo.ts';
import { startPostgres } from './postgres-server.ts';
import { gateway, gatewayJson, newFolder, serve, settingsIn } from './processes.ts';
import { changeByEach, doneByEach, read, readable, unavailableByEach } from './surfaces.ts';

/** A PostgreSQL server that stops, dies, comes back, or takes no writes, under a gateway that stays. */

const unreadable = { live: 200, me: 503, introspection: 503, active: undefined };

async function ownServer() {
  const server = await startPostgres({ fsync: true });
  onTestFinished(() => server.remove());
  const settings = { ...settingsIn(newFolder()), DATABASE_URL: server.url(), LOG_LEVEL: 'warn' };
  return { server, settings };
}

/** Runs statements; how many rows the last one gave. */
async function ask(url: string, ...statements: string[]): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  let rows = 0;
  for (const statement of statements) rows = (await client.query(statement)).rows.length;
  await client.end();
  return rows;
}

test('stopped, stopped at once, killed: 503 meanwhile, and on once it is back', async () => {
  const { server, settings } = await ownServer();
  const demo = await gatewayJson<Demo>(settings, 'demo', '--count', '12');
  const { url } = await serve(settings);
  const ends = [() => server.stop('fast'), () => server.stop('immediate'), () => server.kill9()];
  for (const [i, end] of ends.entries()) {
    expect(await read(url, demo, i)).toEqual(readable);
    await end();
    expect(await changeByEach(url, demo, i)).toEqual(unavailableByEach);
    expect(await read(url, demo, i)).toEqual(unreadable);
    await server.start();
    expect(await read(url, demo, i)).toEqual(readable);
    expect(await changeByEach(url, demo, i)).toEqual(doneByEach);
  }
}, 120_000);

test('a server that takes no writes: they are 503, and what only reads is answered', async () => {
  const { server, settings } = await ownServer();
  const demo = await gatewayJson<Demo>(settings, 'demo', '--count', '6');
  const served = await serve(settings);
  const readOnly = 'alter system set default_transaction_read_only';
  await ask(server.url(), `${readOnly} = on`, 'select pg_reload_conf()');
  await expect
    .poll(() => changeByEach(served.url, demo, 0), { timeout: 10_000 })
    .toEqual(unavailableByEach);
  // Alone, too: nobody else's change fails with it.
  expect((await fetch(`${served.url}/health/ready`)).status).toBe(503);
  expect(await read(served.url, demo, 0)).toEqual(readable);

  const started = await gateway(settings, 'organization', 'create', 'never');
  expect([started.code, started.stderr]).toEqual([1, expect.stringContaining('to the primary')]);

  const off = ['set default_transaction_read_only = off', `${readOnly} = off`];
  await ask(server.url(), ...off, 'select pg_reload_conf()');
  await expect
    .poll(() => changeByEach(served.url, demo, 1), { timeout: 10_000 })
    .toEqual(doneByEach);
}, 120_000);

test('a commit that no standby has confirmed is not answered as done', async () => {
  const { server, settings } = await ownServer();
  const demo = await gatewayJson<Demo>(settings, 'demo', '--count', '1');
  const { url } = await serve(settings);
  const { applicationId, keyId } = demo.apiKey[0] ?? {};
  const revoke = () =>
    fetch(`${url}/api/v1/applications/${applicationId}/api-keys/${keyId}`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${demo.callers.admin}` },
    });
  const names = 'alter system set synchronous_standby_names';
  await ask(server.url(), `${names} = 'elsewhere'`, 'select pg_reload_conf()');
  const asked = revoke();
  // Somebody does not want to wait: PostgreSQL then calls it committed, with a warning.
  const waiting = `select pg_cancel_backend(pid) from pg_stat_activity where wait_event = 'SyncRep'`;
  const cancelled = async () => (await ask(server.url(), waiting)) > 0;
  await expect.poll(cancelled, { timeout: 10_000, interval: 20 }).toBe(true);
  const response = await asked;
  expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1']);
  await ask(server.url(), `${names} = ''`, 'select pg_reload_conf()');
  await expect.poll(async () => (await revoke()).status, { timeout: 10_000 }).toBe(404);
});

test('a server with which it cannot start: it says what to do, and no password', async () => {
  const { server, settings } = await ownServer();
  const refusedWith = async (databaseUrl: string, remedy: string) => {
    const env = { ...settings, DATABASE_URL: databaseUrl };
    const begun = performance.now();
    const { code, stderr } = await gateway(env, 'serve');
    expect([code, stderr]).toEqual([1, expect.stringContaining(remedy)]);
    expect(stderr).toMatch(/^The .*database.* \(.+\): .*\.\n$/);
    expect(stderr).not.toContain('wrong-password');
    expect(performance.now() - begun).toBeLessThan(15_000);
  };
  const wrong = server.url().replace(':gateway@', ':wrong-password@');
  await refusedWith(wrong, 'correct the user and the password');
  await refusedWith(server.url('nowhere'), 'make the database that DATABASE_URL names');
  await ask(server.url(), `create role guest login password 'guest'`, 'create database guests');
  const guest = server.url('guests').replace('gateway:gateway', 'guest:guest');
  await refusedWith(guest, 'the right to make tables');
  await server.stop();
  await refusedWith(server.url(), 'see that the server runs');
  await server.start();
  expect((await gateway(settings, 'organization', 'create', 'after')).code).toBe(0);
}, 120_000);
