import { Command, InvalidArgumentError, Option } from 'commander';
import ms from 'ms';
import { prune } from '../retention/prune.ts';
import { milliseconds } from './arguments.ts';
import { interruptible } from './interruptible.ts';
import { withGateway } from './operator.ts';
import { print } from './output.ts';

/** Those who check JWTs by clocks that are behind are told of revoked ones beyond their expiry. */
const EXPIRED_FOR_MIN_MS = ms('1h');

interface Options {
  expiredFor: number;
  dryRun?: boolean;
  json?: boolean;
}

const expiredFor = (text: string): number => {
  const value = milliseconds(text);
  if (value < EXPIRED_FOR_MIN_MS) throw new InvalidArgumentError('It is at least 1h.');
  return value;
};

export const pruneCommand = () =>
  new Command('prune')
    .description('remove what no verdict needs any more, beside a gateway that serves')
    .addOption(
      new Option('--expired-for <duration>', 'how long ago a credential must have expired')
        .argParser(expiredFor)
        .default(ms('30d'), '30d'),
    )
    .option('--dry-run', 'say what would be removed, and remove nothing')
    .option('--json', 'print JSON: credentials, assertions, secrets, longestTransactionMs')
    .addHelpText(
      'after',
      `
Examples:
  gateway prune --dry-run
  gateway prune --expired-for 7d --json

Credentials go that have expired; what is revoked goes once its revocation is archived
too. So do used assertions of OAuth clients, and old secrets of webhooks and environments.
docs/operations.md says more.`,
    )
    .action(async (options: Options) => {
      await withGateway(async ({ gateway }) => {
        const { dryRun = false, expiredFor: expiredForMs } = options;
        const pruned = await interruptible((given) =>
          prune({ ...gateway, ...given, expiredForMs, dryRun }),
        );
        const { credentials, assertions, secrets } = pruned;
        const counts = { ...credentials, 'used assertion': assertions, 'old secret': secrets };
        const lines = Object.entries(counts)
          .filter(([, count]) => count > 0)
          .map(([what, count]) => `${dryRun ? 'Would remove' : 'Removed'} ${what}: ${count}`);
        print(options.json, { dryRun, ...pruned }, lines.length > 0 ? lines : ['Nothing to do.']);
      });
    });
