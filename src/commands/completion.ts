import { Argument, Command } from 'commander';
import { type Completed, scripts } from './completion-scripts.ts';
import { write } from './remote/screen.ts';

type Shell = keyof typeof scripts;

export const completion = () =>
  new Command('completion')
    .description('print a script that has a shell complete commands, options and what they take')
    .addArgument(new Argument('<shell>', 'which shell').choices(Object.keys(scripts)))
    .addHelpText(
      'after',
      `
It completes the word gateway, which must be a command of the shell. To have it for good:
  bash  gateway completion bash > ~/.local/share/bash-completion/completions/gateway
        (without the package bash-completion: source that file in ~/.bashrc)
  zsh   gateway completion zsh > ~/.gateway.zsh, and source that file in ~/.zshrc
  fish  gateway completion fish > ~/.config/fish/completions/gateway.fish`,
    )
    .action((shell: Shell, _options: unknown, command: Command) => {
      write(scripts[shell](command.parent === null ? [] : completed(command.parent, [])));
    });

/** What can stand behind a command, and behind each of those below it. */
function completed(command: Command, path: readonly string[]): Completed[] {
  const help = command.createHelp();
  const subcommands = help.visibleCommands(command).filter((each) => each.name() !== 'help');
  return [
    {
      path,
      commands: subcommands.map((each) => ({ name: each.name(), what: each.description() })),
      options: help.visibleOptions(command).map((option) => ({
        flags: [option.short, option.long].filter((flag) => flag != null),
        what: option.description,
        takes: option.required || option.optional,
        file: /<file>|\[file\]/.test(option.flags),
        choices: option.argChoices ?? [],
      })),
      choices: command.registeredArguments[0]?.argChoices ?? [],
    },
    ...subcommands.flatMap((each) => completed(each, [...path, each.name()])),
  ];
}
