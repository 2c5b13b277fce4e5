import { resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { type ArchiveResult, archive } from '../retention/archive.ts';
import { checkArchive } from '../retention/archive-file.ts';
import { newRequestId } from '../start.ts';
import { StartError } from '../start-error.ts';
import { milliseconds } from './arguments.ts';
import { interruptible } from './interruptible.ts';
import { operatorName, withGateway } from './operator.ts';
import { print } from './output.ts';

interface Options {
  before?: number;
  keep?: number;
  to?: string;
  dryRun?: boolean;
  json?: boolean;
}

/** A moment in the past, as ISO 8601 writes it: a date begins at midnight, UTC. */
function moment(text: string): number {
  const value = /^\d{4}-\d\d-\d\d(T[\d:.]+(Z|[+-]\d\d:\d\d))?$/.test(text)
    ? Date.parse(text)
    : Number.NaN;
  if (!(value <= Date.now())) {
    throw new InvalidArgumentError(
      'It is a date such as 2026-01-31, or 2026-01-31T12:00:00Z, and not in the future.',
    );
  }
  return value;
}

export const archiveCommand = () =>
  new Command('archive')
    .description('move the oldest entries of the ledger to a file, beside a gateway that serves')
    .addOption(
      new Option('--before <date>', 'only entries that were made before').argParser(moment),
    )
    .addOption(
      new Option('--keep <duration>', 'only entries that are older, such as 90d')
        .argParser(milliseconds)
        .conflicts('before'),
    )
    .option('--to <file>', 'the file that is made: JSON Lines')
    .option('--dry-run', 'say what would be archived, and change nothing')
    .option('--json', 'print JSON: archived, finished, waitsFor, longestTransactionMs')
    .addHelpText(
      'after',
      `
Examples:
  gateway archive --keep 90d --to /var/archive/ledger-2026-04-01.jsonl
  gateway archive --before 2026-01-01 --dry-run
  gateway archive check /var/archive/ledger-*.jsonl

The range ends before the first entry that still owes a delivery. A command that was
stopped or killed is run again as it was. docs/operations.md says more.`,
    )
    .action(async (options: Options) => {
      const { keep, to, dryRun = false } = options;
      const beforeMs = options.before ?? (keep === undefined ? undefined : Date.now() - keep);
      if (beforeMs === undefined) throw new StartError('Say which entries: --before or --keep.');
      if (to === undefined && !dryRun) throw new StartError('Say with --to which file to make.');
      const file = dryRun || to === undefined ? undefined : resolve(to);
      await withGateway(async ({ gateway }) => {
        const by = { actor: operatorName(), requestId: newRequestId() };
        const result = await interruptible((given) =>
          archive({ ...gateway, ...by, ...given, beforeMs, file }),
        );
        print(options.json, { dryRun, file: file ?? null, ...shown(result) }, lines(result, file));
      });
    })
    .addCommand(check());

/** Times as people write them. */
function shown({ archived, ...result }: ArchiveResult) {
  if (archived === null) return { archived, ...result };
  const { lastAtMs, ...contents } = archived;
  return { archived: { ...contents, lastAt: new Date(lastAtMs).toISOString() }, ...result };
}

function lines({ archived, finished, waitsFor }: ArchiveResult, file: string | undefined) {
  const said: string[] = [];
  if (finished !== null) {
    said.push(`Finished what was interrupted: entries up to ${finished.lastSeq} are removed.`);
  }
  if (archived === null) said.push('Nothing to archive.');
  else {
    const { firstSeq, lastSeq, entries, deliveries, digest } = archived;
    const to = file === undefined ? 'Would archive' : `${file} holds`;
    said.push(
      `${to} entries ${firstSeq} to ${lastSeq}: ${entries}, with ${deliveries} deliveries.`,
    );
    said.push(digest);
  }
  if (waitsFor !== null) {
    const targets = waitsFor.targets.map(
      ({ kind, name, id, organization }) => `  ${kind} ${name} of ${organization} (${id})`,
    );
    said.push(`Not further: entry ${waitsFor.seq} is still owed to`, ...targets);
  }
  return said;
}

const check = () =>
  new Command('check')
    .description('check that archives are whole, and that each follows the one before')
    .argument('<files...>', 'archives, oldest first')
    .option('--json', 'print JSON: archives')
    .action(async (files: string[], { json }: { json?: boolean }) => {
      const archives = [];
      let previous: { file: string; digest: string } | undefined;
      for (const file of files) {
        const contents = await checkArchive(resolve(file));
        if (previous !== undefined && contents.previousDigest !== previous.digest) {
          throw new StartError(`${file} does not follow ${previous.file}.`);
        }
        previous = { file, digest: contents.digest };
        const { lastAtMs, ...shownContents } = contents;
        archives.push({ file, ...shownContents, lastAt: new Date(lastAtMs).toISOString() });
      }
      print(
        json,
        { archives },
        archives.map(
          ({ file, firstSeq, lastSeq, digest }) => `${file}: ${firstSeq} to ${lastSeq}, ${digest}`,
        ),
      );
    });
