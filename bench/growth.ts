import type { ChildProcess } from 'node:child_process';
import type { Started } from './contestant.ts';
import { load } from './load.ts';
import { CONNECTIONS, groupCommit } from './matches.ts';
import { memoryOf } from './process-usage.ts';
import { keysOfRows, wander } from './rows.ts';
import type { Result, Setting } from './setting.ts';
import { percentile, summaryOf } from './statistics.ts';
import { restRevoke } from './workloads.ts';

/** Connections while the time of each answer is what is measured. */
const GROWTH_CONNECTIONS = 32;
/** The smallest table has no more keys than it takes to warm up and to measure. */
const WARM_REQUESTS = 3_000;
const REQUESTS_PER_ROUND = 1_200;
const ROUNDS_MAX = 5;
const RSS_LOAD_SECONDS = 2;

interface Subject {
  readonly name: 'gateway' | 'floor';
  readonly size: number;
  readonly child: ChildProcess;
  readonly port: number;
  readonly next: () => number | undefined;
}

/** The 99th percentiles of the rounds, in milliseconds, by who and how large. */
type P99s = Map<string, number[]>;

const keyOf = (name: string, size: number) => `${name} ${size}`;

const wantedOf = ({ wants }: Setting) => ['growth', 'rss'].filter(wants);

/** A file of each size that is measured. */
export type Grown = ReadonlyMap<number, string>;

/** Makes the files, largest last, beside everything else; none where no row is asked for. */
export async function grow(setting: Setting): Promise<Grown> {
  const { template, extent } = setting;
  const wanted = wantedOf(setting);
  const sizes = wanted.includes('growth') ? extent.sizes : extent.sizes.slice(-1);
  const files = new Map<number, string>();
  for (const size of wanted.length === 0 ? [] : sizes) {
    files.set(size, await template.withRows(size));
  }
  return files;
}

/** How much slower the slowest answers are in a large table, and what memory that takes. */
export async function measureGrowth(setting: Setting, grown: Grown): Promise<readonly Result[]> {
  const wanted = wantedOf(setting);
  if (wanted.length === 0) return [];
  const { processes, extent } = setting;
  const p99s: P99s = new Map();
  const cursors = new Map<string, Subject['next']>();
  const generations = wanted.includes('growth') ? Math.ceil(extent.rounds / ROUNDS_MAX) : 1;
  for (let generation = 1; ; generation++) {
    const subjects: Subject[] = [];
    try {
      for (const [size, file] of grown) {
        for (const name of ['floor', 'gateway'] as const) {
          setting.progress(`${wanted.join(', ')}: starting ${name} at ${size} rows`);
          subjects.push(await enter(setting, { name, size, file, generation, cursors }));
        }
      }
      if (wanted.includes('growth')) await playRounds(setting, subjects, p99s);
      if (generation < generations) continue;
      const results = wanted.includes('growth') ? [growthOf(p99s, extent.sizes)] : [];
      if (!wanted.includes('rss')) return results;
      const largest = subjects.filter(({ size }) => size === extent.sizes.at(-1));
      return [...results, await measureMemory(setting, largest)];
    } finally {
      for (const { child } of subjects) await processes.stop(child);
    }
  }
}

interface Entry {
  readonly name: Subject['name'];
  readonly size: number;
  readonly file: string;
  readonly generation: number;
  /** What is left of the large tables, which later generations go on with. */
  readonly cursors: Map<string, Subject['next']>;
}

async function enter(setting: Setting, entry: Entry): Promise<Subject> {
  const { processes, template, extent } = setting;
  const { name, size, file, generation, cursors } = entry;
  const isSmallest = size === extent.sizes[0];
  const copyName = `growth-${size}-${name}-${isSmallest ? generation : 1}`;
  const isNew = isSmallest || generation === 1;
  // The last takes a large file itself: it is of several gigabytes.
  const make = isSmallest || name === 'floor' ? template.copy : template.move;
  const database = isNew ? make(file, copyName) : template.path(copyName);
  if (isNew) cursors.set(copyName, wander(keysOfRows(size), { once: true }));
  const next = cursors.get(copyName) ?? (() => undefined);
  if (name === 'gateway') return { name, size, next, ...(await processes.serve(database, extent)) };
  const program = await setting.programOf(restRevoke(template));
  const given = { server: 'floor', workload: 'rest-revoke', database, program } as const;
  const { child, said } = await processes.launch<Started>('contestant.ts', given);
  return { name, size, next, child, port: said.port };
}

async function playRounds(setting: Setting, subjects: readonly Subject[], p99s: P99s) {
  const workload = restRevoke(setting.template);
  const ask = (subject: Subject, requests: number) => {
    let left = requests;
    const next = () => (left-- > 0 ? subject.next() : undefined);
    return load({ ...workload, port: subject.port, next, connections: GROWTH_CONNECTIONS });
  };
  for (const subject of subjects) await ask(subject, WARM_REQUESTS);
  const rounds = Math.min(setting.extent.rounds, ROUNDS_MAX);
  for (let round = 0; round < rounds; round++) {
    setting.progress(`growth: round ${round + 1} of ${rounds}`);
    for (const subject of round % 2 === 0 ? subjects : subjects.toReversed()) {
      const { times } = await ask(subject, REQUESTS_PER_ROUND);
      const key = keyOf(subject.name, subject.size);
      p99s.set(key, [...(p99s.get(key) ?? []), percentile(times, 0.99)]);
    }
  }
}

function growthOf(p99s: P99s, sizes: readonly number[]): Result {
  const [least = 0, ...larger] = sizes;
  const p99sOf = (name: string, size: number) => p99s.get(keyOf(name, size)) ?? [];
  const p99 = (name: string, size: number) => summaryOf(p99sOf(name, size)).median;
  const ratio = (name: string, size: number) => p99(name, size) / p99(name, least);
  const besideFloor = (size: number) => ratio('gateway', size) / ratio('floor', size);
  // Of several sizes the one where the gateway has grown most.
  const size = larger.reduce((a, b) => (besideFloor(a) > besideFloor(b) ? a : b));
  const spread = (name: string): readonly [number, number] => {
    const small = p99sOf(name, least);
    const { min, max } = summaryOf(p99sOf(name, size).map((p, i) => p / (small[i] ?? Number.NaN)));
    return [min, max];
  };
  const said = sizes.map(
    (rows) =>
      `${rows} rows: ${p99('gateway', rows).toFixed(2)} ms, floor ${p99('floor', rows).toFixed(2)} ms`,
  );
  return {
    ...{ name: 'growth', value: ratio('gateway', size), unit: 'ratio' },
    ...{ floor: ratio('floor', size), peer: null, peerName: null },
    spread: { value: spread('gateway'), floor: spread('floor'), peer: null },
    durability: groupCommit,
    rows: size,
    note: `p99 of a revocation at ${size} rows by that at ${least}, with ${GROWTH_CONNECTIONS} connections. ${said.join('; ')}`,
  };
}

async function measureMemory(setting: Setting, subjects: readonly Subject[]): Promise<Result> {
  const workload = restRevoke(setting.template);
  for (const { name, port, next } of subjects) {
    setting.progress(`rss: ${name} under load`);
    await load({ ...workload, port, next, connections: CONNECTIONS, seconds: RSS_LOAD_SECONDS });
  }
  const of = (name: string) => memoryOf(subjects.find((each) => each.name === name)?.child.pid);
  const [gateway, floor] = [of('gateway'), of('floor')];
  return {
    ...{
      name: 'rss',
      value: gateway.nowMb,
      unit: 'MB',
      floor: floor.nowMb,
      peer: null,
      peerName: null,
    },
    spread: {
      value: [gateway.nowMb, gateway.peakMb],
      floor: [floor.nowMb, floor.peakMb],
      peer: null,
    },
    durability: groupCommit,
    ...(subjects[0] && { rows: subjects[0].size }),
    note: `resident memory after ${RSS_LOAD_SECONDS} s of revocations with ${CONNECTIONS} connections at ${subjects[0]?.size} rows; the spread ends with the peak`,
  };
}
