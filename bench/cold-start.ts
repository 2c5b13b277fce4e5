import { connect, createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { requestText } from './http-text.ts';
import type { Result, Setting } from './setting.ts';
import { summaryOf } from './statistics.ts';
import { health } from './workloads.ts';

/** Starts of each at the most; there are as many as rounds. */
const STARTS_MAX = 7;
const PAUSE_MS = 2;
const DEADLINE_MS = 20_000;

/** From the start of the process to the first 200 of the path that says whether it can do its work. */
export async function measureColdStart(setting: Setting): Promise<readonly Result[]> {
  if (!setting.wants('cold-start')) return [];
  const { processes, template, extent, progress } = setting;
  const database = template.copy(template.bare, 'cold-start');
  const program = await setting.programOf(health);
  const start = {
    gateway: (port: number) =>
      processes.spawnGateway(database, { port, logLevel: extent.logLevel }),
    floor: (port: number) =>
      processes.spawnModule('contestant.ts', {
        server: 'floor',
        workload: 'health',
        database,
        program,
        port,
      }),
  };
  const times = { gateway: [] as number[], floor: [] as number[] };
  // The first start of all fills the caches of the disk.
  for (let i = -1; i < Math.min(STARTS_MAX, extent.rounds); i++) {
    for (const name of ['gateway', 'floor'] as const) {
      progress(`cold-start: ${name}`);
      const port = await freePort();
      const begunAt = performance.now();
      const child = start[name](port);
      await untilReady(port);
      if (i >= 0) times[name].push(performance.now() - begunAt);
      await processes.stop(child);
    }
  }
  const [value, floor] = [summaryOf(times.gateway), summaryOf(times.floor)];
  return [
    {
      ...{ name: 'cold-start', value: value.median, unit: 'ms', floor: floor.median },
      ...{ peer: null, peerName: null },
      spread: { value: [value.min, value.max], floor: [floor.min, floor.max], peer: null },
      durability: 'an empty write transaction has been committed; SQLite, WAL, synchronous=FULL',
    },
  ];
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function untilReady(port: number): Promise<void> {
  const until = performance.now() + DEADLINE_MS;
  while (performance.now() < until) {
    if (await isReady(port)) return;
    await pause(PAUSE_MS);
  }
  throw new Error(`Nothing is ready after ${DEADLINE_MS} ms`);
}

const isReady = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('error', () => resolve(false));
    socket.once('connect', () => socket.write(requestText('GET', '/health/ready', {})));
    socket.once('data', (chunk) => {
      socket.destroy();
      resolve(chunk.toString().startsWith('HTTP/1.1 200'));
    });
  });
