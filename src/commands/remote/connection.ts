import type { Command } from 'commander';
import { checkedUrl, readClientConfig } from '../../client-config.ts';
import { StartError } from '../../start-error.ts';
import { readLines } from './input.ts';
import { say } from './screen.ts';

/** A gateway that a command speaks to, and who asks. */
export interface Connection {
  readonly url: string;
  readonly token: string;
  /** Where the token is from, for people. */
  readonly tokenFrom: string;
  /** Whether it has been there: what breaks then is worth waiting for. */
  reached: boolean;
}

/** What all these commands take. */
export interface ConnectionOptions {
  readonly url?: string;
  readonly tokenFile?: string;
}

/** Adds the options that say where the gateway is, and who asks. */
export const withConnection = (command: Command): Command =>
  command
    .option('--url <url>', 'where the gateway is (default: GATEWAY_URL, or this machine)')
    .option('--token-file <file>', 'what has the token that lets you in (default: GATEWAY_TOKEN)');

/** Reads the options and the environment; speaks to nobody yet. */
export async function connectionFrom(options: ConnectionOptions): Promise<Connection> {
  const config = readClientConfig();
  const url =
    options.url === undefined
      ? checkedUrl(config.url, config.urlFrom)
      : checkedUrl(options.url, '--url');
  const tokenFrom = options.tokenFile ?? 'GATEWAY_TOKEN';
  const [token, ...more] =
    options.tokenFile === undefined
      ? [config.token].filter((each) => each !== undefined)
      : await readLines(options.tokenFile);
  if (token === undefined) {
    throw new StartError(
      options.tokenFile === undefined
        ? 'Who asks? Set GATEWAY_TOKEN to a token that may call the gateway, or name a file that has one with --token-file.'
        : `There is no token in ${tokenFrom}.`,
    );
  }
  // What is sent in a header says so itself where it cannot be, and would print the token.
  if (more.length > 0 || !/^[\x21-\x7e]+$/.test(token)) {
    throw new StartError(`${tokenFrom} has something else than one token.`);
  }
  const { protocol, hostname } = new URL(url);
  if (protocol === 'http:' && !/^(localhost|127\..*|\[::1\])$/.test(hostname)) {
    say(`Warning: ${url} is not https: whoever is on the way reads the token.`);
  }
  return { url, token, tokenFrom, reached: false };
}
