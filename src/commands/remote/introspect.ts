import { Command } from 'commander';
import { oauthPaths } from '../../oauth/paths.ts';
import { StartError } from '../../start-error.ts';
import { interruptible } from '../interruptible.ts';
import { type ConnectionOptions, connectionFrom, withConnection } from './connection.ts';
import { EXIT_NO, exitCodes } from './exit-codes.ts';
import { notAllowed } from './graphql.ts';
import { readSecrets } from './input.ts';
import { postForm } from './oauth.ts';
import { createTable, safeJson, write } from './screen.ts';

interface Options extends ConnectionOptions {
  readonly json?: boolean;
}

/** Members that are seconds since 1970. */
const moments = ['iat', 'exp', 'nbf'];

export const introspect = () =>
  withConnection(
    new Command('introspect')
      .description('ask a running gateway whether a value is good now, and what it is')
      .argument(
        '[file]',
        'what has the value; unless said it is read from standard input, or asked for',
      ),
  )
    .option('--json', 'print the answer as it is (RFC 7662)')
    .addHelpText(
      'after',
      `
Examples:
  gateway introspect leaked.txt
  pbpaste | gateway introspect --json
${exitCodes('it is good', 'it is not: revoked, expired, unknown, or of another organization')}`,
    )
    .action(async (file: string | undefined, options: Options) => {
      const connection = await connectionFrom(options);
      const [token = '', ...more] = await readSecrets(file);
      if (more.length > 0) throw new StartError('There are several lines: give one value.');
      const { status, body, lacks, description } = await interruptible(({ signal }) =>
        postForm(connection, oauthPaths.introspection, { token }, signal),
      );
      if (lacks !== undefined) throw notAllowed(connection, lacks);
      if (status !== 200 || typeof body.active !== 'boolean') throw new StartError(description);
      if (options.json) write(`${safeJson(body)}\n`);
      else
        createTable(
          'MEMBER',
          'VALUE',
        )(Object.entries(body).map(([name, value]) => [name, shown(name, value)]));
      if (!body.active) process.exitCode = EXIT_NO;
    });

function shown(name: string, value: unknown): string {
  if (moments.includes(name) && typeof value === 'number' && Math.abs(value) < 8.64e12) {
    return new Date(value * 1_000).toISOString();
  }
  return typeof value === 'string' ? value : JSON.stringify(value);
}
