import { setTimeout } from 'node:timers/promises';
import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import type { Demo } from '../db/demo.ts';
import { wrongIn } from './crash-checks.ts';
import { lookAt } from './crash-engines.ts';
import { startLoad, type Told } from './crash-load.ts';
import { targetsOf } from './crash-targets.ts';
import { type PostgresServer, startPostgres } from './postgres-server.ts';
import { gatewayJson, newFolder, serve, settingsIn } from './processes.ts';
import { tcpProxyTo } from './tcp-proxy.ts';

/** The primary dies under load, and its standby takes its place: what was answered is there. */

async function ask<Row>(server: PostgresServer, ...statements: string[]): Promise<Row[]> {
  const client = new pg.Client({ connectionString: server.url() });
  await client.connect();
  let rows: Row[] = [];
  for (const statement of statements) rows = (await client.query(statement)).rows as Row[];
  await client.end();
  return rows;
}

/** A server whose commits wait until the standby has them. */
async function primaryAndStandby(databaseOf: (server: PostgresServer) => Promise<Demo>) {
  const primary = await startPostgres({ fsync: true });
  onTestFinished(() => primary.remove());
  const demo = await databaseOf(primary);
  await primary.stop();
  const { port, data } = primary;
  const standby = await startPostgres({
    fsync: true,
    copyOf: data,
    standby: true,
    settings: {
      primary_conninfo: `host=127.0.0.1 port=${port} user=gateway password=gateway application_name=other`,
    },
  });
  onTestFinished(() => standby.remove());
  await primary.start();
  const names = `alter system set synchronous_standby_names = 'other'`;
  await ask(primary, names, 'select pg_reload_conf()');
  const state = () => ask(primary, 'select sync_state from pg_stat_replication');
  await expect.poll(state, { timeout: 30_000 }).toEqual([{ sync_state: 'sync' }]);
  return { primary, standby, demo };
}

test('failover under load: 503 meanwhile, nothing that was answered is lost, and no restart', async () => {
  const settings = { ...settingsIn(newFolder()), LOG_LEVEL: 'silent' };
  const { primary, standby, demo } = await primaryAndStandby((server) =>
    gatewayJson<Demo>({ ...settings, DATABASE_URL: server.url() }, 'demo', '--count', '200'),
  );
  const proxy = await tcpProxyTo(primary.port);
  const throughProxy = primary.url().replace(`:${primary.port}/`, `:${proxy.port}/`);
  const { url } = await serve({ ...settings, DATABASE_URL: throughProxy });
  const told: Told = {
    ...{ revoked: new Map(), created: new Set(), revokedBefore: new Set(), problems: [] },
    ...{ unanswered: 0, unavailable: 0 },
  };
  const load = startLoad({
    ...{ url, told, random: Math.random, waiting: targetsOf(demo) },
    token: demo.callers.personalAccessToken,
    mayBreak: () => false,
  });
  expect(await load.answered(30_000)).toBe(true);
  await setTimeout(500);

  await primary.kill9();
  // Whatever now says that it is done has been told to the standby.
  const answered = told.revoked.size;
  expect((await fetch(`${url}/health/ready`)).status).toBe(503);
  proxy.leadTo(standby.port);
  proxy.drop();
  // It is there by now, but what it says may be old: nothing is read from it.
  await setTimeout(2_000);
  for (const path of ['/health/ready', '/.well-known/jwks.json']) {
    const { status, headers } = await fetch(`${url}${path}`);
    expect([path, status, headers.get('retry-after')]).toEqual([path, 503, '1']);
  }
  expect(told.revoked.size).toBe(answered);

  await ask(standby, 'select pg_promote()', `alter system set synchronous_standby_names = ''`);
  await ask(standby, 'select pg_reload_conf()');
  expect(await load.answered(30_000)).toBe(true);
  await load.stop();
  expect((await fetch(`${url}/health/ready`)).status).toBe(200);
  expect(told.problems).toEqual([]);
  expect(told.unavailable).toBeGreaterThan(0);
  expect(await wrongIn(await lookAt(standby.url()), told)).toEqual([]);
}, 120_000);
