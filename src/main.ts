import { Command } from 'commander';
import { archiveCommand } from './commands/archive.ts';
import { client } from './commands/client.ts';
import { demo } from './commands/demo.ts';
import { migrateCommand } from './commands/migrate.ts';
import { organization } from './commands/organization.ts';
import { personalAccessToken } from './commands/personal-access-token.ts';
import { pruneCommand } from './commands/prune.ts';
import { serve } from './commands/serve.ts';
import { token } from './commands/token.ts';
import { StartError } from './start-error.ts';

/** Commands that are added ready-made take over nothing by themselves. */
function withSettingsOf(program: Command, command: Command): Command {
  for (const child of command.commands) withSettingsOf(program, child);
  return command.copyInheritedSettings(program);
}

/** The command line. Ends with 0 when done, and with 1 and a message on standard error when not. */
export async function main(argv: readonly string[]): Promise<void> {
  const program = new Command('gateway')
    .description('Revokes every kind of machine credential, at once and provably.')
    .showHelpAfterError('(add --help for what can be given)')
    .addHelpText(
      'after',
      '\nSettings are environment variables: docs/configuration.md lists them.\n' +
        'Through npm: npm run gateway -- COMMAND (npm run --silent … for scripts).',
    );
  const commands = [
    ...[serve, migrateCommand, demo, organization, token, personalAccessToken, client],
    ...[archiveCommand, pruneCommand],
  ];
  for (const command of commands) program.addCommand(withSettingsOf(program, command()));
  try {
    await program.parseAsync(argv);
  } catch (error) {
    process.exitCode = 1;
    const text = error instanceof StartError ? error.message : (error as Error).stack;
    process.stderr.write(`${text}\n`);
  }
}
