import { statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { Command, InvalidArgumentError, Option } from 'commander';
import { list, wholeNumber } from '../src/commands/arguments.ts';
import { measureColdStart } from './cold-start.ts';
import { grow, measureGrowth } from './growth.ts';
import { installPeers } from './install.ts';
import { matches } from './matches.ts';
import { openProcesses } from './processes.ts';
import { createPrograms } from './programs.ts';
import { jsonLine, machineText, table } from './report.ts';
import { play, prepare } from './rounds.ts';
import type { Extent, Result, Setting } from './setting.ts';
import { makeTemplate } from './template.ts';

interface Options {
  readonly quick?: boolean;
  readonly json?: boolean;
  readonly only?: readonly string[];
  readonly rounds?: number;
  readonly seconds?: number;
  readonly logLevel: string;
}

const rowNames = [
  ...matches.flatMap(({ rows }) => rows.map(({ name }) => name)),
  ...['cold-start', 'growth', 'rss'],
];

/** No server revokes faster: there are keys for so many. */
const REVOCATIONS_PER_SECOND_MAX = 45_000;

/** Short rounds are warmed up for no longer than so many of them. */
const WARM_ROUNDS_MAX = 5;

/** What a row takes on the disk, with what a checkpoint has not taken over yet. */
const BYTES_PER_ROW = 600;

new Command('bench')
  .description(
    'Measures the gateway against a bare server that executes the same statements, and against its peers, in interleaved rounds.',
  )
  .option('--quick', 'less of everything, and 10^6 rows at the most: under 100 s')
  .option('--json', 'print a line of JSON for each row')
  .addOption(
    new Option(
      '--only <rows>',
      `these rows alone, divided by commas: ${rowNames.join(', ')}`,
    ).argParser(rowList),
  )
  .addOption(new Option('--rounds <n>', 'rounds of each server').argParser(wholeNumber(1, 1_000)))
  .addOption(new Option('--seconds <s>', 'length of a round').argParser(seconds))
  .addOption(
    new Option('--log-level <level>', "the gateway's LOG_LEVEL")
      .choices(['info', 'warn', 'silent'])
      .default('warn'),
  )
  .action(run)
  .parseAsync()
  .catch((error: unknown) => {
    process.stderr.write(`${(error as Error).stack}\n`);
    process.exit(1);
  });

async function run(options: Options): Promise<void> {
  const wants = (row: string) => options.only?.includes(row) ?? true;
  const extent = extentOf(options);
  expectSpace(extent, wants);
  const processes = openProcesses();
  process.once('exit', processes.end);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  try {
    const begunAt = performance.now();
    const progress = (text: string) =>
      process.stderr.write(
        `${((performance.now() - begunAt) / 1000).toFixed(1).padStart(6)} s  ${text}\n`,
      );
    const needsPeers = matches.some(({ rows }) =>
      rows.some(({ name, peer }) => peer !== undefined && wants(name)),
    );
    if (needsPeers) await installPeers(progress);
    progress('making a database by the commands of the gateway');
    const template = await makeTemplate(processes);
    const programOf = createPrograms(processes, template);
    const setting: Setting = { processes, template, extent, programOf, wants, progress };
    const machine = machineText(extent.logLevel);
    const results: Result[] = [];
    const keep = (some: readonly Result[]) => {
      results.push(...some);
      if (!options.json) return;
      for (const result of some) process.stdout.write(`${jsonLine(result, machine)}\n`);
    };
    // All that takes the machine comes first: nothing else runs while something is measured.
    const growing = grow(setting);
    const prepared = [];
    for (const match of matches) prepared.push(await prepare(match, setting));
    progress('filling the large tables');
    const grown = await growing;
    for (const [i, match] of matches.entries()) {
      if (prepared[i] !== undefined) keep(await play(match, prepared[i], setting));
    }
    keep(await measureColdStart(setting));
    keep(await measureGrowth(setting, grown));
    if (!options.json) process.stdout.write(table(results, machine));
  } finally {
    processes.end();
  }
}

function extentOf({ quick = false, rounds, seconds: length, logLevel }: Options): Extent {
  const usual = quick
    ? { rounds: 5, seconds: 0.35, warmRequests: 8_000, warmSeconds: 1.75, tokens: 20_000 }
    : { rounds: 9, seconds: 2, warmRequests: 30_000, warmSeconds: 10, tokens: 100_000 };
  const extent = {
    rounds: rounds ?? usual.rounds,
    seconds: length ?? usual.seconds,
    warmSeconds: Math.min(
      usual.warmSeconds,
      WARM_ROUNDS_MAX * (length ?? Number.POSITIVE_INFINITY),
    ),
  };
  const longS = extent.warmSeconds + extent.rounds * extent.seconds;
  return {
    ...{ ...usual, ...extent, quick, logLevel },
    keys: Math.ceil(longS * REVOCATIONS_PER_SECOND_MAX),
    sizes: quick ? [10_000, 1_000_000] : [10_000, 1_000_000, 10_000_000],
  };
}

function expectSpace({ keys, sizes }: Extent, wants: (row: string) => boolean): void {
  const grown = ['growth', 'rss'].some(wants) ? sizes.reduce((sum, size) => sum + size, 0) * 2 : 0;
  const needed = (grown + keys * 10) * BYTES_PER_ROW;
  const { bavail, bsize } = statfsSync(tmpdir());
  if (bavail * bsize >= needed) return;
  const gb = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;
  throw new Error(
    `${tmpdir()} has ${gb(bavail * bsize)} free, and it takes ${gb(needed)}: free more, set TMPDIR, or use --quick`,
  );
}

function rowList(text: string): readonly string[] {
  const rows = list(text);
  const unknown = rows.filter((row) => !rowNames.includes(row));
  if (rows.length === 0 || unknown.length > 0) {
    throw new InvalidArgumentError(
      `There is no row ${unknown.join(', ')}. Rows: ${rowNames.join(', ')}.`,
    );
  }
  return rows;
}

function seconds(text: string): number {
  const value = Number(text);
  if (!(value >= 0.1 && value <= 600)) {
    throw new InvalidArgumentError('It is a number of seconds from 0.1 to 600.');
  }
  return value;
}
