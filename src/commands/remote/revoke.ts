import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import { StartError } from '../../start-error.ts';
import { interruptible } from '../interruptible.ts';
import { type ConnectionOptions, connectionFrom, withConnection } from './connection.ts';
import { exitCodes } from './exit-codes.ts';
import { readLines, readSecrets, STDIN } from './input.ts';
import { revokeIds } from './revoke-ids.ts';
import { revokeValues } from './revoke-values.ts';
import { asEnum, asWord, kinds, reasons } from './vocabulary.ts';

interface Options extends ConnectionOptions {
  readonly file?: string;
  readonly value?: string | true;
  readonly reason?: string;
  readonly comment?: string;
  readonly json?: boolean;
}

/** One of the words, however it is written. */
const oneOf =
  (words: readonly string[]) =>
  (text: string): string => {
    if (words.includes(asWord(text))) return asWord(text);
    throw new InvalidArgumentError(`It is one of ${words.join(', ')}.`);
  };

export const revoke = () =>
  withConnection(
    new Command('revoke')
      .description('revoke credentials of a running gateway: many by their ids, or what has leaked')
      .addArgument(
        new Argument('[kind]', 'what they all are').choices(kinds).argParser(oneOf(kinds)),
      )
      .argument('[ids...]', 'their ids; - reads them from standard input, one a line')
      .option('--file <file>', 'a file that has their ids, one a line')
      .option(
        '--value [file]',
        'revoke by value, of whatever kind: from a file, or from standard input, one a line, or asked for',
      )
      .addOption(new Option('--reason <reason>', 'why').choices(reasons).argParser(oneOf(reasons)))
      .option('--comment <text>', 'what else the ledger should say; no secrets'),
  )
    .option('--json', 'print JSON, one line for each')
    .addHelpText(
      'after',
      `
Examples:
  gateway revoke api-key 01900000-0000-7000-8000-000000000014 --reason key-compromise
  gateway revoke personal-access-token - < ids.txt
  gateway revoke jwk shop/signing shop/old -- -odd-name
  pbpaste | gateway revoke --value
${exitCodes('all are revoked, or were before', 'some were refused; the others are revoked')}`,
    )
    .action(async (kind: string | undefined, ids: readonly string[], options: Options) => {
      const { file, value, reason, comment, json } = options;
      if (value !== undefined) {
        const more = kind ?? file ?? reason ?? comment;
        if (more !== undefined) {
          throw new StartError('--value takes no kind, no ids, no reason and no comment.');
        }
        const connection = await connectionFrom(options);
        const values = await readSecrets(value);
        await interruptible((given) => revokeValues(connection, values, json, given));
        return;
      }
      if (kind === undefined) throw new StartError('Say of which kind, or revoke by --value.');
      const connection = await connectionFrom(options);
      const all = await idsFrom(ids, file);
      if (all.length === 0) throw new StartError('There are no ids: nothing was given.');
      const wanted = {
        ...{ kind: asEnum(kind), ids: all, comment },
        reason: reason && asEnum(reason),
      };
      await interruptible((given) => revokeIds(connection, wanted, json, given));
    });

/** The ids in the order in which they were given. */
async function idsFrom(ids: readonly string[], file: string | undefined): Promise<string[]> {
  const all: string[] = [];
  for (const id of ids) all.push(...(id === STDIN ? await readLines(STDIN) : [id.trim()]));
  if (file !== undefined) all.push(...(await readLines(file)));
  return all.filter((id) => id !== '');
}
