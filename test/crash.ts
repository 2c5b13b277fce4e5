import { Command, Option } from 'commander';
import { wholeNumber } from '../src/commands/arguments.ts';
import { type EngineName, engines } from './crash-engines.ts';
import { type Rounds, runRounds } from './crash-rounds.ts';

interface Options {
  readonly rounds: number;
  readonly engine: EngineName | 'both';
  readonly seed: number;
  readonly json?: boolean;
}

new Command('test:crash')
  .description(
    'Kills, with SIGKILL at random moments under load, the gateway (on SQLite) and the PostgreSQL ' +
      'server under it, and checks after each restart that nothing that was answered is lost, doubled ' +
      'or half done.',
  )
  .addOption(
    new Option('--rounds <n>', 'how often it is killed, on each engine')
      .argParser(wholeNumber(1, 100_000))
      .default(100),
  )
  .addOption(
    new Option('--engine <name>', 'on what')
      .choices(['sqlite', 'postgres', 'both'])
      .default('both'),
  )
  .addOption(
    new Option('--seed <n>', 'what is random begins with this')
      .argParser(wholeNumber(0, 2 ** 32 - 1))
      .default(Math.floor(Math.random() * 2 ** 32), 'another each time'),
  )
  .option('--json', 'print JSON')
  .action(async ({ rounds, engine, seed, json }: Options) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => process.exit(1));
    }
    const names = engine === 'both' ? (Object.keys(engines) as EngineName[]) : [engine];
    const results: Rounds[] = [];
    for (const name of names) results.push(await runRounds(name, { rounds, seed, progress }));
    const problems = results.flatMap((result) => result.problems);
    for (const problem of problems) progress(problem);
    process.stdout.write(json ? `${JSON.stringify({ seed, results })}\n` : text(seed, results));
    process.exitCode = problems.length === 0 ? 0 : 1;
  })
  .parseAsync()
  .catch((error: unknown) => {
    process.stderr.write(`${(error as Error).stack}\n`);
    process.exit(1);
  });

function progress(line: string): void {
  process.stderr.write(`${line}\n`);
}

function text(seed: number, results: readonly Rounds[]): string {
  const lines = results.map(
    ({ engine, rounds, answered, created, unanswered, unavailable, problems }) =>
      `${engine}: killed ${rounds} times; ${answered} revocations and ${created} creations answered, ` +
      `${unanswered} without an answer, ${unavailable} answered with 503: ${problems.length} problems`,
  );
  return `${[...lines, `seed ${seed}`].join('\n')}\n`;
}
