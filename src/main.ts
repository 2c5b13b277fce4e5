import { Command } from 'commander';
import { howToRun } from './how-to-run.ts';
import { StartError } from './start-error.ts';

/** Each is loaded when it is asked for, and all for help: a gateway that starts waits for no other. */
const commands: Record<string, () => Promise<() => Command>> = {
  serve: async () => (await import('./commands/serve.ts')).serve,
  migrate: async () => (await import('./commands/migrate.ts')).migrateCommand,
  demo: async () => (await import('./commands/demo.ts')).demo,
  organization: async () => (await import('./commands/organization.ts')).organization,
  token: async () => (await import('./commands/token.ts')).token,
  'personal-access-token': async () =>
    (await import('./commands/personal-access-token.ts')).personalAccessToken,
  client: async () => (await import('./commands/client.ts')).client,
  archive: async () => (await import('./commands/archive.ts')).archiveCommand,
  prune: async () => (await import('./commands/prune.ts')).pruneCommand,
  backup: async () => (await import('./commands/backup.ts')).backupCommand,
  restore: async () => (await import('./commands/restore.ts')).restoreCommand,
  key: async () => (await import('./commands/key.ts')).keyCommand,
  doctor: async () => (await import('./commands/doctor.ts')).doctorCommand,
  revoke: async () => (await import('./commands/remote/revoke.ts')).revoke,
  introspect: async () => (await import('./commands/remote/introspect.ts')).introspect,
  ledger: async () => (await import('./commands/remote/ledger.ts')).ledger,
  completion: async () => (await import('./commands/completion.ts')).completion,
};

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
        `Run it as: ${howToRun('COMMAND')}`,
    );
  // What completes all of them must know them.
  const asked = argv[2] === 'completion' ? undefined : commands[argv[2] ?? ''];
  for (const load of asked === undefined ? Object.values(commands) : [asked]) {
    const command = await load();
    program.addCommand(withSettingsOf(program, command()));
  }
  try {
    await program.parseAsync(argv);
  } catch (error) {
    process.exitCode = 1;
    const text = error instanceof StartError ? error.message : (error as Error).stack;
    process.stderr.write(`${text}\n`);
  }
}
