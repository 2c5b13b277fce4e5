import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Started } from '../bench/contestant.ts';
import { requestText } from '../bench/http-text.ts';
import { load } from '../bench/load.ts';
import { openProcesses } from '../bench/processes.ts';
import { createPrograms, statementsOf } from '../bench/programs.ts';
import { hook, openRecorder } from '../bench/record.ts';
import { makeTemplate } from '../bench/template.ts';
import { bulkRevoke, introspect, restRevoke } from '../bench/workloads.ts';
import { launch, root } from './processes.ts';

/** What is measured can be measured: the commands run, and what they count adds up. */

const run = (command: string, ...args: string[]) => {
  const env = { PATH: process.env.PATH ?? '', TMPDIR: tmpdir() };
  return launch(process.execPath, [join(root, 'bench', command), ...args], env).ended;
};

test('time to effect: every revocation reaches every point, and stays', async () => {
  const args = ['--count', '60', '--points', '2', '--json'];
  const { code, stdout, stderr } = await run('time-to-effect.ts', ...args);
  expect([code, stderr]).toEqual([0, '']);
  const result = JSON.parse(stdout);
  expect(result).toMatchObject({ revocations: 60, acceptedAfter: 0 });
  expect(result.points).toHaveLength(2);
  for (const times of [result.everywhere, result.rest, ...result.points]) {
    expect(times.p50).toBeGreaterThan(0);
    expect(times.p99).toBeGreaterThanOrEqual(times.p50);
    expect(times.max).toBeGreaterThanOrEqual(times.p99);
  }
});

test('the options of both are said, and held to', async () => {
  const said = {
    'time-to-effect.ts': ['--count', '--points', '--concurrency', '--rate', '--json'],
    'main.ts': ['--quick', '--json', '--only', '--rounds', '--seconds', '--log-level'],
  };
  for (const [command, options] of Object.entries(said)) {
    const { stdout } = await run(command, '--help');
    for (const option of options) expect(stdout).toContain(option);
  }
  const wrong = [
    ['time-to-effect.ts', '--count', '0', 'whole number'],
    ['main.ts', '--only', 'rest-revoke,fast', 'no row fast'],
    ['main.ts', '--seconds', '0', 'number of seconds'],
  ] as const;
  for (const [command, option, value, problem] of wrong) {
    const { code, stderr } = await run(command, option, value);
    expect([code, stderr]).toEqual([1, expect.stringContaining(problem)]);
  }
});

test('bench: a row has what scripts read, of the gateway and of the floor', {
  timeout: 120_000,
}, async () => {
  const extent = ['--quick', '--rounds', '1', '--seconds', '0.2'];
  const only = ['--only', 'rest-revoke', '--json'];
  const { code, stdout, stderr } = await run('main.ts', ...extent, ...only);
  expect([code, stderr]).toEqual([0, expect.stringContaining('rest-revoke: round 1 of 1')]);
  const lines = stdout.trim().split('\n');
  expect(lines).toHaveLength(1);
  const row = JSON.parse(lines[0] ?? '');
  const members = [
    'name',
    'value',
    'unit',
    'floor',
    'peer',
    'peerName',
    'ratioToFloor',
    'ratioToPeer',
  ];
  expect(Object.keys(row).slice(0, members.length)).toEqual(members);
  expect(row).toMatchObject({ name: 'rest-revoke', peer: null, peerName: null, ratioToPeer: null });
  expect(Math.min(row.value, row.floor)).toBeGreaterThan(0);
  expect(row.ratioToFloor).toBeCloseTo(row.value / row.floor, 2);
  expect(row.durability).toContain('synchronous=FULL');
});

test('the floor executes what the gateway executes, statement by statement', {
  timeout: 120_000,
}, async () => {
  const processes = openProcesses();
  onTestFinished(processes.end);
  const template = await makeTemplate(processes);
  const programOf = createPrograms(processes, template);
  const file = template.withKeys(1_000);
  const gateway = await openRecorder(
    await processes.serve(template.copy(file, 'gateway'), { hook }),
    1_300,
  );
  const few = { one: bulkRevoke(template, 2), several: bulkRevoke(template, 5) };
  const cases = [
    { workload: restRevoke(template), items: [11, 22], of: 'insert into "ledger"' },
    { workload: introspect(template), items: [33, 44], of: '"secret_hash" = ?' },
    { workload: bulkRevoke(template, 7), items: [70, 71], of: 'insert into "ledger"' },
  ];
  for (const { workload, items, of } of cases) {
    const { name } = workload;
    const program = await programOf(workload, name === 'bulk-revoke' ? () => few : undefined);
    const given = { server: 'floor', workload: name, program, database: template.copy(file, name) };
    const { child, said } = await processes.launch<Started>('contestant.ts', given, { hook });
    const floor = await openRecorder({ child, port: said.port }, 0);
    const [, expected] = (await gateway.one(workload, items)).map(statementsOf);
    const [, actual] = (await floor.one(workload, items)).map(statementsOf);
    expect(actual).toEqual(expected);
    expect(JSON.stringify([actual?.reads, actual?.writes].flat())).toContain(
      JSON.stringify(of).slice(1, -1),
    );
    if (name === 'introspect') continue;
    expect([actual?.writes[0], actual?.writes.at(-1)]).toEqual(['begin immediate', 'commit']);
  }
});

test('one answer that is not the right one ends a measurement', async () => {
  let answers = 0;
  const server = createServer((_request, response) => {
    answers += 1;
    response.statusCode = answers === 50 ? 503 : 200;
    response.end(answers === 60 ? 'wrong' : 'right');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const ask = (count: number) => {
    let left = count;
    return load({
      ...{ port, connections: 4, next: () => (left-- > 0 ? left : undefined) },
      request: () => requestText('GET', '/', {}),
      isRight: (body) => body === 'right',
    });
  };
  expect(await ask(49)).toMatchObject({ answers: 49 });
  await expect(ask(1)).rejects.toThrow('503');
  await expect(ask(20)).rejects.toThrow('wrong');
});
