import { Command, Option } from 'commander';
import { wholeNumber } from '../arguments.ts';
import { type ConnectionOptions, connectionFrom, withConnection } from './connection.ts';
import { type Entry, newestEntries } from './entries.ts';
import { exitCodes } from './exit-codes.ts';
import { entriesFrom, type Place } from './follow.ts';
import { createTable, safeJson, unread, write } from './screen.ts';

/** Entries that are printed, unless said. */
const ENTRIES_DEFAULT = 20;

/** Entries that can be asked for by their number: with `--after` there are any number. */
const ENTRIES_MAX = 10_000;

interface Options extends ConnectionOptions {
  readonly last: number;
  readonly after?: number;
  readonly follow?: boolean;
  readonly json?: boolean;
}

export const ledger = () =>
  withConnection(
    new Command('ledger')
      .description('print the ledger of a running gateway, oldest first, and what comes')
      .addOption(
        new Option('-n, --last <n>', 'so many of the newest entries')
          .argParser(wholeNumber(0, ENTRIES_MAX))
          .default(ENTRIES_DEFAULT),
      )
      .addOption(
        new Option('--after <seq>', 'all entries behind this one; 0: from the beginning')
          .argParser(wholeNumber(0, Number.MAX_SAFE_INTEGER))
          .conflicts('last'),
      )
      .option('-f, --follow', 'go on with what comes, until it is stopped with Ctrl-C'),
  )
    .option('--json', 'print JSON, one line for each entry')
    .addHelpText(
      'after',
      `
Examples:
  gateway ledger -n 100
  gateway ledger --follow --json | jq 'select(.outcome == "REFUSED")'
  gateway ledger --after 4711 --follow

It needs the permission ledger:read. A gateway that is away is waited for while it is
followed; then it goes on behind the last entry.
${exitCodes('it is printed; with --follow: it was stopped')}`,
    )
    .action(async (options: Options) => {
      const connection = await connectionFrom(options);
      const stopped = new AbortController();
      const stop = () => stopped.abort();
      if (options.follow) process.once('SIGINT', stop).once('SIGTERM', stop);
      const signal = AbortSignal.any([stopped.signal, unread.signal]);
      const print = options.json ? printJson : createPrint();
      try {
        await tell(connection, options, signal, print);
      } catch (error) {
        if (!signal.aborted) throw error;
      } finally {
        process.off('SIGINT', stop).off('SIGTERM', stop);
      }
    });

async function tell(
  connection: Awaited<ReturnType<typeof connectionFrom>>,
  { last, after, follow = false }: Options,
  signal: AbortSignal,
  print: (entries: readonly Entry[]) => void,
): Promise<void> {
  let place: Place = { seq: after ?? 0 };
  if (after === undefined) {
    // One is read in any case: it is the place from which on to follow.
    const newest = await newestEntries(connection, Math.max(1, last), { signal });
    if (last > 0) print(newest);
    if (!follow) return;
    place = newest.at(-1) ?? place;
  }
  for await (const entries of entriesFrom(connection, place, { signal, follow })) print(entries);
}

const printJson = (entries: readonly Entry[]): void =>
  write(entries.map((entry) => `${safeJson(entry)}\n`).join(''));

function createPrint(): (entries: readonly Entry[]) => void {
  const headings = ['SEQ', 'AT', 'ACTION', 'KIND', 'OUTCOME', 'ACTOR', 'SURFACE', 'TARGET'];
  const table = createTable(...headings);
  return (entries) =>
    table(
      entries.map(({ seq, at, action, kind, outcome, refusal, actor, surface, target }) => [
        ...[String(seq), at, action, kind],
        refusal === null ? outcome : ([refusal, 'red'] as const),
        ...[actor, surface, target],
      ]),
    );
}
