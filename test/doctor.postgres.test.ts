import { expect, onTestFinished, test } from 'vitest';
import { lookAt } from './crash-engines.ts';
import { examine } from './doctors.ts';
import { freePort, startPostgres } from './postgres-server.ts';
import { gatewayJson, newFolder, settingsIn } from './processes.ts';

/** What only a PostgreSQL server can have wrong with it. */

test('a server that is well, waits for a standby, has another time, and is away', async () => {
  const server = await startPostgres({ fsync: true });
  onTestFinished(() => server.remove());
  const env = settingsIn(newFolder(), server.url());
  await gatewayJson(env, 'organization', 'create', 'acme');
  const well = await examine(env);
  expect([well.code, well.wrong]).toEqual([0, []]);
  expect(well.of('database')[0]?.what).toMatch(/^PostgreSQL \d+/);

  const { all } = await lookAt(server.url());
  await all("alter system set synchronous_standby_names = 'nobody'");
  await all('select pg_reload_conf()');
  await expect
    .poll(async () => (await examine(env)).of('durability')[0]?.what, { timeout: 20_000 })
    .toBe('synchronous_standby_names is nobody, and no such standby is there');
  await all('alter system reset synchronous_standby_names');

  const ahead = 'data:text/javascript,const{now}=Date;Date.now=()=>now()+5e3';
  const { of } = await examine({ ...env, NODE_OPTIONS: `--import ${ahead}` });
  expect(of('clock')).toMatchObject([
    { status: 'warning', what: expect.stringMatching(/by -(?:4|5)\d\d\d ms$/) },
  ]);

  await server.stop();
  const away = await examine(env);
  expect([away.code, away.wrong]).toEqual([1, [['database', 'problem']]]);
  expect(away.of('database')[0]?.what).toMatch(/ECONNREFUSED/);
}, 60_000);

test('a server that never was', async () => {
  const url = `postgres://gateway:secret@127.0.0.1:${await freePort()}/gateway`;
  const { of, findings } = await examine(settingsIn(newFolder(), url));
  expect(of('database')).toMatchObject([{ status: 'problem' }]);
  expect(JSON.stringify(findings)).not.toContain('secret@');
});
