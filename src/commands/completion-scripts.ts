/** What can stand behind a command. */
export interface Completed {
  /** The names that lead to it: none for `gateway` itself. */
  readonly path: readonly string[];
  readonly commands: readonly { readonly name: string; readonly what: string }[];
  readonly options: readonly {
    readonly flags: readonly string[];
    readonly what: string;
    /** Whether a value follows. */
    readonly takes: boolean;
    /** Whether that is a file. */
    readonly file: boolean;
    readonly choices: readonly string[];
  }[];
  /** What its first argument can be. */
  readonly choices: readonly string[];
}

/** Alternatives of a `case`; one that nothing is, where there are none. */
const cases = (patterns: readonly string[]) =>
  (patterns.length === 0 ? ['-'] : patterns).map((each) => `'${each}'`).join(' | ');

/** The line before the first one of what follows a command. */
const at = ({ path }: Completed) => path.join(' ');

const flagsOf = (all: readonly Completed[], wanted: (option: Completed['options'][0]) => boolean) =>
  all.flatMap((each) =>
    each.options
      .filter(wanted)
      .flatMap(({ flags }) => flags.map((flag) => `${at(each)} ${flag}`.trim())),
  );

/**
 * A script that reads the words before the cursor and runs nothing. It has no name that is special in zsh,
 * which runs it too.
 */
function bash(all: readonly Completed[]): string {
  const paths = all.map(at).filter((path) => path !== '');
  const choices = all.flatMap((each) =>
    each.options
      .filter((option) => option.choices.length > 0)
      .map((option) => {
        const patterns = option.flags.map((flag) => `${at(each)} ${flag}`);
        return `    ${cases(patterns)}) wanted='${option.choices.join(' ')}' ;;\n`;
      }),
  );
  const behind = all.map((each) => {
    const flags = each.options.flatMap((option) => option.flags);
    const first = [...each.commands.map(({ name }) => name), ...each.choices];
    return `      '${at(each)}') flags='${flags.join(' ')}' firsts='${first.join(' ')}' ;;\n`;
  });
  return `# Completes the command gateway. Made by: gateway completion
_gateway() {
  local i word here='' previous='' given=0 wanted='' flags='' firsts=''
  local current="\${COMP_WORDS[COMP_CWORD]}"
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    case "\${here:+$here }$previous" in
      ${cases(flagsOf(all, ({ takes }) => takes))}) previous='' ; continue ;;
    esac
    previous="$word"
    case "$given \${here:+$here }$word" in
      ${cases(paths.map((path) => `0 ${path}`))}) here="\${here:+$here }$word" ;;
      *' '-*) ;;
      *) given=$((given + 1)) ;;
    esac
  done
  case "\${here:+$here }$previous" in
${choices.join('')}    ${cases(flagsOf(all, ({ takes }) => takes))}) return ;;
    *)
      case "$here" in
${behind.map((line) => `  ${line}`).join('')}      esac
      case "$given $current" in
        *' '-*) wanted="$flags" ;;
        '0 '*) wanted="$firsts" ;;
      esac
      ;;
  esac
  COMPREPLY=($(compgen -W "$wanted" -- "$current"))
}
complete -o default -F _gateway gateway
`;
}

const zsh = (all: readonly Completed[]): string => `# For zsh, by way of bash.
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }
autoload -Uz bashcompinit && bashcompinit
${bash(all)}`;

const fishQuoted = (text: string) => `'${text.replaceAll(/[\\']/g, '\\$&')}'`;

/** One line for each thing that can be completed. */
function fish(all: readonly Completed[]): string {
  const lines = all.flatMap(({ path, commands, options, choices }) => {
    const seen = path.map((name) => `__fish_seen_subcommand_from ${name}`);
    const none = `not __fish_seen_subcommand_from ${commands.map(({ name }) => name).join(' ')}`;
    const here = path.length === 0 ? ['__fish_use_subcommand'] : seen;
    const line = (conditions: readonly string[], ...rest: readonly string[]) =>
      ['complete -c gateway', `-n ${fishQuoted(conditions.join('; and '))}`, ...rest].join(' ');
    return [
      ...commands.map(({ name, what }) =>
        line(path.length === 0 ? here : [...here, none], `-f -a ${name} -d ${fishQuoted(what)}`),
      ),
      ...(choices.length === 0 ? [] : [line(here, `-f -a ${fishQuoted(choices.join(' '))}`)]),
      ...options.map((option) =>
        line(
          here,
          ...option.flags.map((flag) =>
            flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`,
          ),
          ...(option.takes ? [option.file ? '-r -F' : '-x'] : []),
          ...(option.choices.length === 0 ? [] : [`-a ${fishQuoted(option.choices.join(' '))}`]),
          `-d ${fishQuoted(option.what)}`,
        ),
      ),
    ];
  });
  return ['# Completes the command gateway. Made by: gateway completion', ...lines, ''].join('\n');
}

/** A script for each shell. */
export const scripts = { bash, zsh, fish };
