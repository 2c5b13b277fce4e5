import { expect, test, vi } from 'vitest';
import { engine, past } from './engine.ts';
import { jsonOf, openTerminal, type Terminal } from './terminal.ts';

/** The gateway, the connection or the command ends in the middle of many ids: nothing is lost or untold. */

/** An engine in another process takes longer for each. */
const COUNT = engine === 'sqlite' ? 6_000 : 2_500;

const args = ['revoke', 'personal-access-token', '-', '--json'];

async function begin() {
  const t = await openTerminal({ tokens: COUNT });
  const command = t.launch(args, { input: t.ids.join('\n') });
  // Some is answered, and more is under way.
  await vi.waitUntil(() => command.output.stdout !== '', { interval: 1, timeout: 20_000 });
  return { t, command };
}

const entriesOf = async ({ folder }: Terminal, outcome: string) => {
  const sql = `select target_id from ledger where outcome = '${outcome}' and action = 'revoke' order by seq`;
  return (await (await past(folder)).all<{ target_id: string }>(sql)).map((row) => row.target_id);
};

test('killed, and served again: it finishes by itself, and each is revoked once', async () => {
  const { t, command } = await begin();
  t.served.kill('SIGKILL');
  await t.served.ended;
  await vi.waitUntil(() => command.output.stderr.includes('Trying again'), { timeout: 20_000 });
  await t.serveAgain();
  const { code, stdout, stderr } = await command.ended;
  expect([code, stderr]).toEqual([0, expect.stringContaining('Answered again.')]);
  const rows = jsonOf(stdout);
  expect(rows.map(({ id }) => id)).toEqual(t.ids);
  expect(new Set(rows.map(({ outcome }) => outcome))).toContain('REVOKED');
  expect(await entriesOf(t, 'done')).toEqual(t.ids);
}, 120_000);

test('killed for good: it says how much is not known, and the same once more does the rest', async () => {
  const { t, command } = await begin();
  t.served.kill('SIGKILL');
  const { code, stdout, stderr } = await command.ended;
  const told = jsonOf(stdout);
  expect(code).toBe(1);
  expect(told.map(({ id, outcome }) => [id, outcome])).toEqual(
    t.ids.slice(0, told.length).map((id) => [id, 'REVOKED']),
  );
  const said = (count: number) => count.toLocaleString('en');
  expect(stderr).toContain(
    `${said(told.length)} REVOKED, ${said(COUNT - told.length)} not known.\n`,
  );
  expect(stderr).toContain('The same command, run again, does the rest.\n');
  expect(stderr).toMatch(/Nothing answers at http.* \(ECONNREFUSED\)/);
  expect(stderr).not.toMatch(/^\s+at /m);

  await t.serveAgain();
  const again = await t.run(args, { input: t.ids.join('\n') });
  expect(again.code).toBe(0);
  const rows = jsonOf(again.stdout);
  expect(rows.slice(0, told.length).every(({ outcome }) => outcome === 'ALREADY_REVOKED')).toBe(
    true,
  );
  expect(rows.at(-1)).toMatchObject({ id: t.ids.at(-1), outcome: 'REVOKED' });
  expect(await entriesOf(t, 'done')).toEqual(t.ids);
}, 120_000);

test('nobody reads on: it revokes all the same, in silence', async () => {
  const { t, command } = await begin();
  command.stopReading();
  const { code, stderr } = await command.ended;
  expect([code, stderr.split('\n').at(-2)]).toEqual([0, `${COUNT.toLocaleString('en')} REVOKED.`]);
  expect(await entriesOf(t, 'done')).toEqual(t.ids);
}, 120_000);

test('Ctrl-C: it stops, and says what to do', async () => {
  const { command } = await begin();
  command.kill('SIGINT');
  const { code, signal, stdout, stderr } = await command.ended;
  expect({ code, signal }).toEqual({ code: 1, signal: null });
  const told = jsonOf(stdout).length;
  expect(told).toBeLessThan(COUNT);
  expect(stderr).toContain(`${(COUNT - told).toLocaleString('en')} not known.`);
  expect(stderr).toMatch(/Stopped: the same command, run again, goes on from here\.\n$/);
}, 120_000);
